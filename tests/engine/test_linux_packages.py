"""The Linux packages of a frozen folder: what is in them, what they ask for, and that they go as they came."""

from __future__ import annotations

import gzip
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app import __version__
from app.cli.arguments import parser
from app.engine.media.scan import _KINDS
from app.gui.intake import modality_of

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
EPOCH_S = 1_700_000_000

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not all(map(shutil.which, ("dpkg-deb", "objdump", "tar"))),
    reason="needs Debian's tools for packages and binutils",
)


@pytest.fixture(scope="module")
def packages() -> ModuleType:
    """The script as a module: packaging/ is no package."""
    spec = importlib.util.spec_from_file_location("packages", PACKAGING / "linux" / "packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def freeze(folder: Path) -> Path:
    """A folder as PyInstaller leaves it, with real binaries: Qt's plug-in for X11, and what plays sounds."""
    qt = Path(importlib.util.find_spec("PySide6").origin).parent / "Qt"
    internal = folder / "_internal"
    (internal / "PySide6/Qt/plugins/platforms").mkdir(parents=True)
    for program in ("semblance", "semblance-window"):
        (folder / program).write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$ARGUMENTS"\n')
        (folder / program).chmod(0o700)
    shutil.copy(qt / "plugins/platforms/libqxcb.so", internal / "PySide6/Qt/plugins/platforms")
    shutil.copy(qt / "lib/libQt6Multimedia.so.6", internal)
    for carried in ("XcbQpa", "Gui", "Core", "DBus", "Network", "Concurrent"):
        (internal / f"libQt6{carried}.so.6").touch()
    (internal / "libxkbcommon.so.0").touch()
    (internal / "libQt6Core.so").symlink_to("libQt6Core.so.6")
    (folder / "LICENSE").write_text("MIT")
    return folder


@pytest.fixture(scope="module")
def made(packages, tmp_path_factory) -> Iterator[tuple[Path, Path]]:
    """The tar.gz and the .deb of one folder."""
    place = tmp_path_factory.mktemp("linux")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(EPOCH_S))
        sys.modules["linux.staging"].epoch_s.cache_clear()
        archive, deb = packages.build(freeze(place / "semblance"), place / "dist")
        yield archive, deb
    sys.modules["linux.staging"].epoch_s.cache_clear()


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("deb")
    subprocess.run(["dpkg-deb", "-R", made[1], target], check=True)
    return target


@pytest.fixture
def extracted(made, tmp_path) -> Path:
    """The tar.gz in a folder whose name has what a shell, sed and desktop entries take for something else."""
    target = tmp_path / """Übung "a b" $HOME `c` d\\e &|' """
    target.mkdir()
    with tarfile.open(made[0]) as tar:
        tar.extractall(target, filter="tar")
    return next(target.iterdir())


def field(deb: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", deb, name], capture_output=True, text=True, check=True).stdout.strip()


def entry(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def names_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# --- the .deb --------------------------------------------------------------------------------------------------------


def test_the_deb_has_the_program_in_one_folder_and_its_commands_in_the_path(unpacked):
    for program in ("semblance", "semblance-window"):
        assert (unpacked / "usr/bin" / program).readlink() == Path("../lib/semblance") / program
        assert (unpacked / "usr/bin" / program).resolve().stat().st_mode & 0o777 == 0o755
    assert (unpacked / "usr/lib/semblance/_internal/libQt6Core.so").readlink() == Path("libQt6Core.so.6")
    for path in (
        "applications/semblance.desktop",
        "icons/hicolor/48x48/apps/semblance.png",
        "icons/hicolor/scalable/apps/semblance.svg",
        "metainfo/org.semblance.Semblance.metainfo.xml",
        "man/man1/semblance.1.gz",
        "doc/semblance/copyright",
        "doc/semblance/changelog.gz",
    ):
        assert (unpacked / "usr/share" / path).stat().st_mode & 0o777 == 0o644, path


def test_the_deb_says_what_it_is(made, unpacked):
    deb = made[1]
    assert deb.name == f"semblance_{__version__}_amd64.deb"
    assert field(deb, "Package") == "semblance"
    assert field(deb, "Version") == __version__
    used_kib = sum(path.stat().st_size for path in (unpacked / "usr").rglob("*") if path.is_file()) / 1024
    assert used_kib <= int(field(deb, "Installed-Size")) <= used_kib + len(names_below(unpacked))
    assert names_below(unpacked / "DEBIAN") == {"control", "md5sums"}, "no script runs at installing"


def test_the_deb_asks_for_what_the_binaries_need_and_do_not_carry(made):
    depends = field(made[1], "Depends").split(", ")
    assert "libxcb-cursor0" in depends
    assert "libx11-6" in depends
    assert "libstdc++6 (>= 11)" in depends
    assert "xkb-data" in depends, "a library that is carried reads it"
    assert depends[0].startswith("libc6 (>= 2.")
    assert not [name for name in depends if "qt6" in name.lower()]
    assert field(made[1], "Recommends") == "libpulse0"


def test_a_library_of_no_known_package_stops_the_build_with_its_name(packages, tmp_path):
    folder = freeze(tmp_path / "semblance")
    (folder / "_internal/libQt6XcbQpa.so.6").unlink()
    with pytest.raises(SystemExit, match=r"libQt6XcbQpa\.so\.6, needed by _internal/PySide6/.*/libqxcb\.so"):
        packages.build(folder, tmp_path / "dist")
    assert not [path for path in (tmp_path / "dist").iterdir() if path.is_dir()], "nothing half made is left"


@pytest.mark.parametrize(
    ("library", "abi", "release"),
    [((3, 4, 22), (), "11"), ((3, 4, 30), (1, 3, 13), "12"), ((3, 4, 29), (1, 3, 15), "14")],
)
def test_the_version_of_the_cpp_library_is_that_of_its_latest_symbols(packages, library, abi, release):
    needs = sys.modules["linux.needs"]
    assert needs._gcc_of({"GLIBCXX": library, "CXXABI": abi}) == release


def test_a_cpp_library_of_the_future_stops_the_build(packages):
    with pytest.raises(SystemExit, match="GCC_RELEASES"):
        sys.modules["linux.needs"]._gcc_of({"GLIBCXX": (3, 5), "CXXABI": ()})


def test_the_checksums_in_the_deb_are_right(unpacked):
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=unpacked, check=True)
    assert len((unpacked / "DEBIAN/md5sums").read_text().splitlines()) > 20


@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="dpkg gives files to root")
def test_the_deb_installs_and_goes_without_a_trace(made, tmp_path):
    database = tmp_path / "var/lib/dpkg"
    database.mkdir(parents=True)
    (database / "status").touch()
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/neighbour").touch()
    library = tmp_path / "home/someone/.local/share/semblance/libraries/default"
    library.mkdir(parents=True)
    before = {name for name in names_below(tmp_path) if not name.startswith("var")}
    dpkg = ["dpkg", f"--root={tmp_path}", "--force-depends", "--log=/dev/null"]
    subprocess.run([*dpkg, "--install", made[1]], check=True, capture_output=True)
    assert (tmp_path / "usr/bin/semblance-window").is_file()
    assert not subprocess.run([*dpkg, "--verify", "semblance"], capture_output=True, check=True).stdout
    subprocess.run([*dpkg, "--purge", "semblance"], check=True, capture_output=True)
    assert {name for name in names_below(tmp_path) if not name.startswith("var")} == before


@pytest.mark.skipif(not shutil.which("lintian"), reason="needs lintian")
def test_lintian_has_no_objection_to_how_it_is_packed(made):
    told = subprocess.run(["lintian", "--allow-root", made[1]], capture_output=True, text=True, check=False)
    assert told.stdout == ""


# --- both ------------------------------------------------------------------------------------------------------------


def test_the_same_program_gives_the_same_bytes_whenever_it_was_frozen(made, packages, tmp_path):
    folder = freeze(tmp_path / "semblance")
    os.utime(folder / "LICENSE", (0, 0))
    (folder / "LICENSE").chmod(0o600)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = packages.build(folder, tmp_path / "dist")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in made]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sorted((tmp_path / "dist").iterdir()) == sorted(again), "nothing else is left"


def test_the_archive_is_one_folder_of_nobody(made):
    with tarfile.open(made[0]) as tar:
        members = tar.getmembers()
    assert {member.name.split("/")[0] for member in members} == {f"semblance-{__version__}-linux-x86_64"}
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, EPOCH_S)}
    modes = {member.name.partition("/")[2]: member.mode for member in members}
    assert modes["semblance"] == modes["install.sh"] == 0o755
    assert modes["_internal/libQt6Multimedia.so.6"] == 0o644


# --- what a desktop reads --------------------------------------------------------------------------------------------


def test_file_managers_offer_it_for_all_that_can_be_searched_by(unpacked):
    from PySide6.QtCore import QMimeDatabase

    offered = set(entry(unpacked / "usr/share/applications/semblance.desktop")["MimeType"].rstrip(";").split(";"))
    database = QMimeDatabase()
    for ending in _KINDS:
        path = f"file.{ending}"
        kind = database.mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension)
        if modality_of(path):
            assert offered & {kind.name(), *kind.aliases()}, ending
    assert {name.split("/")[0] for name in offered} == {"image", "video", "audio"}


def test_it_becomes_nobodys_default(unpacked):
    assert not [name for name in names_below(unpacked) if "mimeapps" in name or "defaults.list" in name]
    desktop = entry(unpacked / "usr/share/applications/semblance.desktop")
    assert desktop["InitialPreference"] == "0"
    assert "inode/directory" not in desktop["MimeType"]


def test_the_desktop_entry_names_what_is_there(unpacked):
    desktop = entry(unpacked / "usr/share/applications/semblance.desktop")
    assert desktop["Exec"] == "semblance-window %F"
    assert desktop["Icon"] == "semblance"


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="needs desktop-file-utils")
def test_the_desktop_entry_is_valid(unpacked):
    path = unpacked / "usr/share/applications/semblance.desktop"
    assert subprocess.run(["desktop-file-validate", path], capture_output=True, text=True, check=True).stdout == ""


def test_the_description_for_software_centres_tells_this_version(unpacked):
    text = (unpacked / "usr/share/metainfo/org.semblance.Semblance.metainfo.xml").read_text(encoding="utf-8")
    assert f'version="{__version__}" date="2023-11-14"' in text


@pytest.mark.skipif(not shutil.which("appstreamcli"), reason="needs appstream")
def test_the_description_for_software_centres_is_valid(unpacked):
    path = unpacked / "usr/share/metainfo/org.semblance.Semblance.metainfo.xml"
    told = subprocess.run(["appstreamcli", "validate", "--no-net", path], capture_output=True, text=True, check=False)
    objections = [line for line in told.stdout.splitlines() if line.startswith(("E:", "W:"))]
    assert [line for line in objections if "homepage" not in line] == []  # the project has none


def test_the_manual_page_names_every_command(unpacked):
    page = gzip.decompress((unpacked / "usr/share/man/man1/semblance.1.gz").read_bytes()).decode()
    verbs = next(action for action in parser()._actions if action.dest == "verb").choices
    assert verbs
    for verb in verbs:
        assert f".B {verb}\n" in page
    assert "@" not in page


# --- without root ----------------------------------------------------------------------------------------------------


def install(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    command = ["sh", str(folder / "install.sh"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path) -> Path:
    home = tmp_path / "some one"
    (home / ".local/share/semblance/libraries").mkdir(parents=True)
    return home


def test_a_person_puts_it_into_their_own_menu(extracted, home):
    assert install(extracted, home).returncode == 0
    written = entry(home / ".local/share/applications/semblance.desktop")["Exec"]
    assert written.endswith('" %F')
    unescaped = written.removesuffix(" %F").replace("\\\\", "\\")
    read = subprocess.run(["sh", "-c", f"printf %s {unescaped}"], capture_output=True, text=True, check=True).stdout
    assert read == str(extracted / "semblance-window"), "a shell quotes as the specification of Exec does"
    assert (home / ".local/bin/semblance").resolve() == extracted / "semblance"
    assert (home / ".local/share/icons/hicolor/64x64/apps/semblance.png").is_file()


@pytest.mark.skipif(not shutil.which("gio"), reason="needs GLib's launcher")
def test_the_desktop_starts_it_with_the_chosen_files(extracted, home, tmp_path):
    install(extracted, home)
    written = tmp_path / "arguments"
    os.mkfifo(written)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "ARGUMENTS": str(written)}
    desktop = home / ".local/share/applications/semblance.desktop"
    subprocess.run(["gio", "launch", desktop, "/a photo.jpg", "/sound.wav"], env=environment, check=True)
    assert written.read_text().splitlines() == ["/a photo.jpg", "/sound.wav"]


def test_installing_again_changes_nothing(extracted, home):
    install(extracted, home)
    before = names_below(home)
    assert install(extracted, home).returncode == 0
    assert names_below(home) == before


def test_removing_takes_out_what_was_put_in(extracted, home):
    before = names_below(home)
    install(extracted, home)
    assert install(extracted, home, "--remove").returncode == 0
    assert names_below(home) == before
    assert install(extracted, home, "--remove").returncode == 0, "also where nothing is left"


def test_removing_an_old_folder_leaves_the_new_one_in_the_menu(extracted, home):
    old = shutil.copytree(extracted, extracted.with_name("old"), symlinks=True)
    install(old, home)
    install(extracted, home)
    before = names_below(home)
    assert str(extracted) in install(old, home, "--remove").stdout
    assert names_below(home) == before
    assert (home / ".local/bin/semblance").resolve() == extracted / "semblance"


def test_what_was_put_in_before_the_folder_was_moved_is_taken_out(extracted, home):
    before = names_below(home)
    install(extracted, home)
    moved = extracted.rename(extracted.with_name("moved"))
    install(moved, home, "--remove")
    assert names_below(home) == before


def test_a_folder_that_was_moved_is_found_again(extracted, home):
    install(extracted, home)
    moved = extracted.rename(extracted.with_name("moved"))
    assert install(moved, home).returncode == 0
    assert (home / ".local/bin/semblance-window").resolve() == moved / "semblance-window"
    assert "/moved/semblance-window" in entry(home / ".local/share/applications/semblance.desktop")["Exec"]


def test_another_program_of_that_name_stays(extracted, home):
    other = home / ".local/bin/semblance"
    other.parent.mkdir()
    other.write_text("mine")
    assert "stays as it is" in install(extracted, home).stderr
    install(extracted, home, "--remove")
    assert other.read_text() == "mine"


def test_a_path_that_desktops_cannot_start_is_refused(extracted, home):
    moved = extracted.rename(extracted.with_name("100%"))
    told = install(moved, home)
    assert told.returncode == 1
    assert "with a %" in told.stderr
    assert not (home / ".local/bin/semblance").exists()
