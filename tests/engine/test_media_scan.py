"""Which files a scan finds, and what it says of the others."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from app.engine.media.scan import Rules, guess_kind, media_files, walk
from app.engine.types import MediaKind

EVERYTHING = Rules()


class Walk:
    """One scan with all it found and said."""

    def __init__(self, root: Path, rules: Rules = EVERYTHING) -> None:
        self.failures: dict[str, str] = {}
        self.skipped: dict[str, str] = {}

        def name(path: bytes) -> str:
            return os.path.relpath(os.fsdecode(path), root)

        def failed(path: bytes, sentence: str) -> None:
            self.failures[name(path)] = sentence

        def skipped(path: bytes, sentence: str) -> None:
            self.skipped[name(path)] = sentence

        self.listings = list(walk(os.fsencode(root), os.fsencode(root), rules, failed))
        self.digests = {name(listing.path): listing.digest for listing in self.listings}
        self.files = [file for one in self.listings for file in media_files(one, rules, failed, skipped)]
        self.names = [name(file.path) for file in self.files]


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_come_in_a_fixed_order_with_size_and_time(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.mp4", "sub/z.wav", "sub/deep/y.png", "another/x.heic"):
        write(tmp_path / name, b"12345")
    os.utime(tmp_path / "b.jpg", ns=(1, 1_700_000_000_123_456_789))
    walk = Walk(tmp_path)
    assert walk.names == ["a.mp4", "b.jpg", "another/x.heic", "sub/z.wav", "sub/deep/y.png"]
    assert {file.size_bytes for file in walk.files} == {5}
    assert walk.files[1].mtime_ns == (tmp_path / "b.jpg").stat().st_mtime_ns
    assert not walk.failures
    assert not walk.skipped


def test_what_is_no_medium_is_skipped_with_its_ending(tmp_path: Path) -> None:
    write(tmp_path / "notes.json")
    write(tmp_path / "README")
    assert Walk(tmp_path).skipped == {
        "notes.json": "Not a photo, video or sound that Semblance reads (.json)",
        "README": "Not a photo, video or sound that Semblance reads (no ending)",
    }


@pytest.mark.parametrize("name", [".hidden.jpg", ".git/a.jpg", "Thumbs.db", "__MACOSX/a.jpg", "@eaDir/a.jpg"])
def test_hidden_files_and_litter_are_passed_over_in_silence(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    walk = Walk(tmp_path)
    assert (walk.names, walk.failures, walk.skipped) == ([], {}, {})


def test_typescript_is_no_video(tmp_path: Path) -> None:
    write(tmp_path / "code.ts", b"export const a = 1;")
    write(tmp_path / "film.ts", b"\x47" + bytes(187))
    write(tmp_path / "camcorder.mts", bytes(4) + b"\x47" + bytes(187))
    walk = Walk(tmp_path)
    assert walk.names == ["camcorder.mts", "film.ts"]
    assert walk.skipped == {"code.ts": "Not a video, though its name ends in .ts"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need special rights on Windows")
def test_links_to_folders_are_not_followed_but_those_to_files_are(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "a.jpg")
    write(tmp_path / "elsewhere" / "b.jpg")
    (root / "loop").symlink_to(root)
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "link.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    (root / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    walk = Walk(root)
    assert walk.names == ["a.jpg", "link.jpg"]
    assert list(walk.failures) == ["gone.jpg"]
    assert "link" in walk.failures["gone.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders on Windows")
def test_pipes_and_sockets_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as unix_socket:
        unix_socket.bind("socket.ts")
        walk = Walk(tmp_path)
    assert walk.names == []
    assert sorted(walk.skipped) == ["pipe.mp3", "socket.ts"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_an_unreadable_folder_is_told_and_the_rest_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "locked" / "a.jpg")
    write(tmp_path / "open" / "b.jpg")
    list_folder = os.scandir

    def refuse_locked(path: bytes) -> object:  # permissions do not bind a test run by root
        if path.endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse_locked)
    walk = Walk(tmp_path)
    assert walk.names == ["open/b.jpg"]
    assert walk.failures["locked"].startswith("You are not allowed to look into this folder.")


def test_a_root_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert Walk(tmp_path / "gone").failures == {".": "The folder is not there. Connect its drive or choose it again."}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_in_no_encoding_is_found(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(path)).write_bytes(b"x")
    assert [file.path for file in Walk(tmp_path).files] == [path]


def test_a_digest_stands_for_all_that_a_scan_goes_by(tmp_path: Path) -> None:
    path = write(tmp_path / "sub" / "a.jpg", b"12345")
    os.utime(path, ns=(1, 1))
    first = Walk(tmp_path).digests
    assert Walk(tmp_path).digests == first

    def changed(rules: Rules = EVERYTHING) -> list[str]:
        nonlocal first
        before, first = first, Walk(tmp_path, rules).digests
        return sorted(name for name in first if first[name] != before[name])

    os.utime(path, ns=(2, 2))
    assert changed() == ["sub"]
    path.write_bytes(b"1234567")
    os.utime(path, ns=(2, 2))
    assert changed() == ["sub"]
    path.rename(path.with_name("b.jpg"))
    assert changed() == ["sub"]
    write(tmp_path / "new.jpg")
    assert changed() == ["."]
    (tmp_path / "empty").mkdir()
    Walk(tmp_path)
    assert Walk(tmp_path).digests["."] != first["."]
    first = Walk(tmp_path).digests
    assert changed(Rules(excluded=("x",))) == [".", "empty", "sub"]
    assert changed(Rules(hidden=True)) == [".", "empty", "sub"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.PNG", ["a.jpg", "sub/a.jpg"]),
        ("a.*", ["b.png", "sub/c.png"]),
        ("SUB", ["a.jpg", "b.png"]),
        ("sub/*", ["a.jpg", "b.png"]),
        ("/sub/a.*", ["a.jpg", "b.png", "sub/c.png"]),
        ("*/c.png", ["a.jpg", "b.png", "sub/a.jpg"]),
        ("?.png", ["a.jpg", "sub/a.jpg"]),
        ("png", ["a.jpg", "b.png", "sub/a.jpg", "sub/c.png"]),
    ],
)
def test_excluded_patterns_match_names_or_with_a_slash_paths(tmp_path: Path, pattern: str, left: list[str]) -> None:
    for name in ("a.jpg", "b.png", "sub/a.jpg", "sub/c.png"):
        write(tmp_path / name)
    assert Walk(tmp_path, Rules(excluded=("nothing", pattern))).names == left


def test_a_pattern_matches_both_forms_of_an_accent_and_either_case(tmp_path: Path) -> None:
    write(tmp_path / "Fami\u0301lia" / "a.jpg")
    write(tmp_path / "caf\u00e9.jpg")
    assert Walk(tmp_path, Rules(excluded=("FAM\u00cdLIA", "CAFE\u0301*"))).names == []


def test_hidden_names_are_found_when_that_is_wished_and_litter_never(tmp_path: Path) -> None:
    for name in (".a.jpg", ".git/b.jpg", "__MACOSX/c.jpg", ".d/@eaDir/e.jpg"):
        write(tmp_path / name)
    assert Walk(tmp_path, Rules(hidden=True)).names == [".a.jpg", ".git/b.jpg"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"a.JPEG", MediaKind.PHOTO),
        (b"a.heic", MediaKind.PHOTO),
        (b"a.webm", MediaKind.VIDEO),
        (b"a.b.OGG", MediaKind.AUDIO),
        (b"jpg", None),
        (b"a.pdf", None),
        (b"a.svg", None),
        (b"a.eps", None),
    ],
)
def test_the_ending_tells_the_kind(name: bytes, kind: MediaKind | None) -> None:
    assert guess_kind(b"/some/where/" + name) is kind
