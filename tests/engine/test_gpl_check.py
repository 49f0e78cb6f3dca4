"""What packaging/ffmpeg/check.py finds in a folder that is to be given away."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "ffmpeg" / "check.py"

OPTIONS = b"\0--enable-shared --enable-version3 --enable-libx264 --enable-libx265 --disable-gpl\0libavcodec license: "
HARMLESS = ("libxcb-5ddf6756.so.1", "libx26.so", "x264.txt", "libpng16.so.16", "readline.so", "avcodec-62.dll")


def found(folder: Path) -> list[str]:
    done = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == (lines != ["No part is under the GPL."])
    return lines if done.returncode else []


def test_a_library_under_the_gpl_is_known_by_its_name_on_every_system(tmp_path: Path) -> None:
    names = {
        *("libx264-d6533a8d.so.165", "libx265.215.dylib", "x265-efe48a158520.dll", "xvidcore.dll", "libxvidcore.so.4"),
        *("libpostproc.so.58", "libvidstab.1.2.dylib", "librubberband-2.dll", "libreadline.so.8", "LIBX264-164.DLL"),
    }
    (tmp_path / "av.libs").mkdir()
    for name in names:
        (tmp_path / "av.libs" / name).write_bytes(b"")
    assert {line.partition(":")[0] for line in found(tmp_path)} == names


def test_what_ffmpeg_was_configured_with_counts_more_than_its_own_word(tmp_path: Path) -> None:
    (tmp_path / "libavcodec.so.62").write_bytes(b"\x7fELF" + OPTIONS + b"LGPL version 3 or later\0")
    assert [line.rpartition(" ")[2] for line in found(tmp_path)] == ["--enable-libx264", "--enable-libx265"]


def test_a_licence_that_ffmpeg_owns_up_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "avcodec-62.dll").write_bytes(b"MZ\0libavcodec license: GPL version 2 or later\0")
    assert found(tmp_path) == ["avcodec-62.dll: its licence is GPL version 2 or later"]


def test_other_libraries_are_let_pass(tmp_path: Path) -> None:
    for name in HARMLESS:
        (tmp_path / name).write_bytes(b"\0--enable-libx26 --enable-libmp3lame\0libavcodec license: LGPL version 2.1\0")
    assert found(tmp_path) == []
