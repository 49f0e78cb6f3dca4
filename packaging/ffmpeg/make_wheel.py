"""Build PyAV on an FFmpeg without GPL parts: ``python packaging/ffmpeg/make_wheel.py``.

The wheel comes to lie in ``build/wheels`` and is for the Python that runs this. It takes the version of PyAV that
``constraints.txt`` names, and the sources that ``sources.py`` names from ``--sources`` (by default
``build/ffmpeg/sources``), downloading what is not there. It needs a C compiler, make, nasm and pkg-config. README.md
beside this file says more, also for macOS and Windows.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import notices
from sources import SOURCES, SourceMissing, unpack

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
WORK = PROJECT / "build" / "ffmpeg"
WHEELS = PROJECT / "build" / "wheels"
PREFIX = "/opt/semblance"
"""Where the libraries believe to be installed; the same on each machine, since FFmpeg keeps its options as text."""
STAGE = WORK / "stage"
INSTALLED = STAGE / PREFIX.strip("/")

LAME_OPTIONS = ("--enable-shared", "--disable-static", "--disable-frontend", "--disable-decoder", "--disable-gtktest")
DAV1D_OPTIONS = ("--buildtype=release", "--libdir=lib", "-Denable_tools=false", "-Denable_tests=false")
FFMPEG_OPTIONS = (
    "--enable-shared",
    "--disable-static",
    "--disable-programs",
    "--disable-doc",
    "--disable-debug",
    # Nothing that this machine happens to have; neither a network, nor a camera, a screen or a sound card.
    "--disable-autodetect",
    "--disable-network",
    "--disable-devices",
    "--disable-protocols",
    "--enable-protocol=file,pipe",
    # Of FFmpeg's own parts it reads all there is, and writes and filters what the program and its tests do.
    *("--disable-filters", "--enable-filter=aformat,anull,aresample,asetrate,atempo,format,null,scale"),
    *("--disable-encoders", "--enable-encoder=ffv1,flac,libmp3lame,mpeg4,pcm_f32le,pcm_s16le"),
    *("--disable-muxers", "--enable-muxer=avi,flac,matroska,mov,mp3,mp4,mpegts,ogg,wav"),
    # What is named is LGPL, BSD or in the system: no --enable-gpl, no --enable-version3, no --enable-nonfree.
    "--enable-iconv",
    "--enable-zlib",
    "--enable-libdav1d",  # FFmpeg's own AV1 decoder works on graphics cards only
    "--enable-libmp3lame",  # FFmpeg has no MP3 encoder of its own
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build PyAV on an FFmpeg without GPL parts.")
    parser.add_argument("--sources", type=Path, default=WORK / "sources", help="folder of source archives")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at the same time")
    wanted = parser.parse_args()
    missing = [tool for tool in ("make", "nasm", "pkg-config", "cc") if not shutil.which(tool)]
    if missing:
        sys.exit(f"This needs {', '.join(missing)}: sudo apt install build-essential nasm pkg-config")
    shutil.rmtree(STAGE, ignore_errors=True)
    tools = _tools()
    try:
        unpacked = {source.name: unpack(source, wanted.sources, WORK / source.name) for source in SOURCES}
    except SourceMissing as error:
        sys.exit(str(error))
    _build_lame(unpacked["lame"], wanted.jobs)
    _build_dav1d(unpacked["dav1d"], tools)
    _build_ffmpeg(unpacked["ffmpeg"], wanted.jobs)
    wheel = _self_contained(_with_notices(_build_pyav(tools), unpacked, tools), tools)
    WHEELS.mkdir(parents=True, exist_ok=True)
    print(shutil.copy(wheel, WHEELS))


def _tools() -> Path:
    """An environment with the pinned tools; returns the folder of its programs."""
    home = WORK / "tools"
    venv.create(home, with_pip=True)
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    _run(programs / "python", "-m", "pip", "install", "--quiet", "--requirement", HERE / "requirements.txt")
    return programs


def _build_lame(source: Path, jobs: int) -> None:
    symbols = source / "include" / "libmp3lame.sym"  # names a function that there is no more; Apple's linker minds
    symbols.write_text(symbols.read_text().replace("lame_init_old\n", ""))
    machine = [f"--build={platform.machine()}-apple-darwin"] if sys.platform == "darwin" else []  # its guess is old
    _run("./configure", f"--prefix={PREFIX}", *LAME_OPTIONS, *machine, inside=source)
    _run("make", f"--jobs={jobs}", inside=source)
    _run("make", "install", f"DESTDIR={STAGE}", inside=source)


def _build_dav1d(source: Path, tools: Path) -> None:
    _run(tools / "meson", "setup", "made", f"--prefix={PREFIX}", *DAV1D_OPTIONS, inside=source, path=tools)
    _run(tools / "meson", "install", "-C", "made", "--destdir", STAGE, inside=source, path=tools)


def _build_ffmpeg(source: Path, jobs: int) -> None:
    _run("./configure", f"--prefix={PREFIX}", *FFMPEG_OPTIONS, inside=source)
    _run("make", f"--jobs={jobs}", inside=source)
    _run("make", "install", f"DESTDIR={STAGE}", inside=source)


def _build_pyav(tools: Path) -> Path:
    """PyAV's source release, compiled; returns the wheel."""
    version = re.search(r"^av==(\S+)$", (PROJECT / "constraints.txt").read_text(), re.MULTILINE)
    assert version, "constraints.txt names no version of av"
    folder = _empty("plain")
    # Without the search path of this machine's Python, and without an id that is made of pip's scratch folder.
    linker = {"LDSHARED": "cc -shared -Wl,--build-id=none"} if sys.platform == "linux" else {}
    _run(
        *(tools / "python", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir"),
        *("--no-binary=av", f"--wheel-dir={folder}", f"av=={version[1]}"),
        path=tools,
        more=linker,
    )
    return next(folder.glob("*.whl"))


def _with_notices(wheel: Path, unpacked: Mapping[str, Path], tools: Path) -> Path:
    folder, packed = _empty("unpacked"), _empty("noted")
    _run(tools / "wheel", "unpack", "--dest", folder, wheel)
    (content,) = folder.iterdir()
    notices.add(next(content.glob("*.dist-info")), unpacked)
    _run(tools / "wheel", "pack", "--dest-dir", packed, content)
    return next(packed.glob("*.whl"))


def _self_contained(wheel: Path, tools: Path) -> Path:
    """The wheel with the libraries that it needs in it."""
    folder = _empty("whole")
    if sys.platform == "darwin":
        _run(tools / "delocate-wheel", "--wheel-dir", folder, wheel, path=tools)
    else:
        _run(tools / "auditwheel", "repair", "--strip", "--wheel-dir", folder, wheel, path=tools)
    return next(folder.glob("*.whl"))


def _empty(name: str) -> Path:
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(
    *words: str | Path, inside: Path = PROJECT, path: Path | None = None, more: Mapping[str, str] | None = None
) -> None:
    """Run a program that finds what is installed in STAGE; its failure ends this one."""
    libraries = str(INSTALLED / "lib")
    settings = {
        **os.environ,
        "CPATH": str(INSTALLED / "include"),
        "LIBRARY_PATH": libraries,
        "LD_LIBRARY_PATH": libraries,
        "DYLD_LIBRARY_PATH": libraries,
        "PKG_CONFIG_LIBDIR": f"{libraries}/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": str(STAGE),
        "SOURCE_DATE_EPOCH": "315532800",  # the first time that a wheel can tell: the same sources, the same wheel
        **(more or {}),
    }
    if path:
        settings["PATH"] = f"{path}{os.pathsep}{settings['PATH']}"
    print("+", *words, flush=True)
    done = subprocess.run([str(word) for word in words], cwd=inside, env=settings)
    if done.returncode:
        sys.exit(f"{words[0]} failed.")


if __name__ == "__main__":
    main()
