"""Say in plain words what this machine lacks before something fails obscurely. Standard library only.

    check_system.py build       before the environment is made: Python, venv, a C++ compiler, free disk space
    check_system.py window      before the window opens: a display, and the system libraries that Qt loads
    check_system.py offscreen   before tests with no display: the system libraries that Qt loads even then
    check_system.py package-tests   before the frozen program is tested: what makes an empty machine and a desktop

It exits with 0 when all is there and with 1 after naming what is missing and the command that installs it. The
libraries are those that the ELF headers of PySide6 6.11's own libraries and plugins name and that PySide6 does not
carry itself.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON_NEEDED = (3, 11)
DISK_NEEDED_BYTES = 8 * 10**9
"""The environment with torch takes about 5 GB, and pip needs room for what it unpacks."""


@dataclass(frozen=True)
class Needed:
    """A shared library, by its soname, or a program, and the package that holds it. ``path``: where a program is that
    is not on the search path."""

    name: str
    debian: str
    fedora: str
    path: str = ""


BASE = (
    Needed("libGL.so.1", "libgl1", "libglvnd-glx"),
    Needed("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Needed("libX11.so.6", "libx11-6", "libX11"),
    Needed("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Needed("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Needed("libfreetype.so.6", "libfreetype6", "freetype"),
    Needed("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    Needed("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
)
XCB = (
    Needed("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Needed("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
    Needed("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Needed("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Needed("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Needed("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Needed("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Needed("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Needed("libxcb-render.so.0", "libxcb-render0", "libxcb"),
    Needed("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Needed("libxcb-shm.so.0", "libxcb-shm0", "libxcb"),
    Needed("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
    Needed("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Needed("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
)
WAYLAND = (
    Needed("libwayland-client.so.0", "libwayland-client0", "libwayland-client"),
    Needed("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor"),
)
PLAYBACK = (
    Needed("libpulse.so.0", "libpulse0", "pulseaudio-libs"),
    Needed("libgssapi_krb5.so.2", "libgssapi-krb5-2", "krb5-libs"),
    Needed("libXext.so.6", "libxext6", "libXext"),
    Needed("libXrandr.so.2", "libxrandr2", "libXrandr"),
)
"""What Qt Multimedia loads. Without it the window works and only playing is missing."""

PLATFORMS = {"xcb": XCB, "wayland": WAYLAND}


PACKAGE_TESTS = (
    Needed("bwrap", "bubblewrap", "bubblewrap"),
    Needed("Xvfb", "xvfb", "xorg-x11-server-Xvfb"),
    Needed("openbox", "openbox", "openbox"),
    Needed("xdotool", "xdotool", "xdotool"),
    Needed("dbus-daemon", "dbus-daemon", "dbus-daemon"),
    Needed("at-spi-bus-launcher", "at-spi2-core", "at-spi2-core", "/usr/libexec/at-spi-bus-launcher"),
    Needed("strace", "strace", "strace"),
)
"""What the tests of the frozen program start."""


def can_load(soname: str) -> bool:
    """Whether the dynamic linker finds the library and all that it needs in turn."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def linux_family(os_release: str) -> str:
    """ "debian", "fedora" or "" from the text of /etc/os-release (freedesktop.org's os-release format)."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    if {"debian", "ubuntu"} & set(names):
        return "debian"
    return "fedora" if {"fedora", "rhel", "centos"} & set(names) else ""


def this_family() -> str:
    release = Path("/etc/os-release")
    return linux_family(release.read_text(encoding="utf-8")) if release.is_file() else ""


def install_command(family: str, packages: Iterable[str]) -> str:
    """The one command that installs these packages on a Linux of that family."""
    tool = "apt-get install" if family == "debian" else "dnf install"
    as_root = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{as_root}{tool} {' '.join(dict.fromkeys(packages))}"


def how_to_install(family: str, lacking: Sequence[Needed]) -> str:
    names = ", ".join(needed.name for needed in lacking)
    if family:
        packages = [needed.debian if family == "debian" else needed.fedora for needed in lacking]
        return f"Missing: {names}\nInstall with:\n\n    {install_command(family, packages)}\n"
    debian = ", ".join(dict.fromkeys(needed.debian for needed in lacking))
    return f"Missing: {names}\nInstall your system's packages for these. (Debian calls them {debian}.)\n"


# --- build -----------------------------------------------------------------------------------------------------------


def find_compiler() -> str | None:
    """A C++ compiler that pip can use, or None. On macOS ``c++`` exists even where no tools are behind it."""
    if sys.platform == "darwin":
        return "c++" if _succeeds(["/usr/bin/xcode-select", "-p"]) else None
    if sys.platform == "win32":
        vswhere = Path(os.environ.get("PROGRAMFILES(X86)", "")) / "Microsoft Visual Studio/Installer/vswhere.exe"
        tools = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
        found = vswhere.is_file() and _output(
            [str(vswhere), "-products", "*", "-requires", tools, "-property", "productId"]
        )
        return "cl" if found else None
    candidates = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    return next((path for name in candidates if name and (path := shutil.which(name.split()[0]))), None)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def has_venv() -> bool:
    """Debian ships Python without ensurepip, and without that no environment can be made."""
    try:
        import ensurepip  # noqa: F401 - whether it is there
        import venv  # noqa: F401 - as above
    except ImportError:
        return False
    return True


def has_python_headers() -> bool:
    return (Path(sysconfig.get_path("include")) / "Python.h").is_file()


@dataclass(frozen=True)
class Machine:
    """What the build check looked at."""

    python: tuple[int, int]
    system: str
    family: str
    venv: bool
    compiler: bool
    headers: bool
    free_bytes: int

    @staticmethod
    def here() -> Machine:
        return Machine(
            python=sys.version_info[:2],
            system=sys.platform,
            family=this_family(),
            venv=has_venv(),
            compiler=find_compiler() is not None,
            headers=has_python_headers(),
            free_bytes=shutil.disk_usage(Path(__file__).resolve().parent).free,
        )


def build_problems(machine: Machine) -> list[str]:
    """What stands in the way of making the environment, each as a sentence with the way out."""
    if machine.python < PYTHON_NEEDED:
        needed, found = (".".join(map(str, version)) for version in (PYTHON_NEEDED, machine.python))
        return [
            f"Semblance needs Python {needed} or later, and this is Python {found}.\n"
            f"Install a later one (https://www.python.org/downloads/) and name it: make run PYTHON=python{needed}"
        ]
    version = "python" + ".".join(map(str, machine.python))
    problems = []
    if not machine.venv:
        fix = _fix(machine, debian=[f"{version}-venv"], fedora=["python3"])
        problems.append(f"This Python cannot make environments: its venv module is incomplete.\n{fix}")
    if not machine.compiler:
        fix = _fix(machine, debian=["g++"], fedora=["gcc-c++"])
        problems.append(
            f"There is no C++ compiler. hnswlib, the search index, is compiled when it is installed.\n{fix}"
        )
    if not machine.headers:
        fix = _fix(machine, debian=[f"{version}-dev"], fedora=["python3-devel"])
        problems.append(
            f"The header files of {version} (Python.h) are not there, and hnswlib is compiled with them.\n{fix}"
        )
    if machine.free_bytes < DISK_NEEDED_BYTES:
        problems.append(
            f"The disk of this folder has {machine.free_bytes / 1e9:.1f} GB free, and the environment needs "
            f"about {DISK_NEEDED_BYTES / 1e9:.0f} GB while it is made.\n"
            "Free some space, or move the project to a larger disk."
        )
    return problems


def _fix(machine: Machine, *, debian: list[str], fedora: list[str]) -> str:
    if machine.system == "darwin":
        return "Install Apple's command line tools:\n\n    xcode-select --install\n"
    if machine.system == "win32":
        return (
            "Install Python from https://www.python.org/downloads/ and Microsoft's C++ Build Tools\n"
            "(https://visualstudio.microsoft.com/visual-cpp-build-tools/, workload “Desktop development with C++”)."
        )
    if machine.family:
        packages = debian if machine.family == "debian" else fedora
        return f"Install it with:\n\n    {install_command(machine.family, packages)}\n"
    return f"Install your system's package for it. (Debian calls it {' '.join(debian)}.)"


# --- window and offscreen --------------------------------------------------------------------------------------------


def missing(libraries: Iterable[Needed], loads: Callable[[str], bool]) -> list[Needed]:
    return [library for library in libraries if not loads(library.name)]


def wanted_platforms(environment: Mapping[str, str]) -> list[str]:
    """The Qt platforms that could open a window here, the likeliest first; empty: there is no display."""
    if chosen := environment.get("QT_QPA_PLATFORM"):
        return [platform.split(":")[0] for platform in chosen.split(";")]
    found = [("xcb", environment.get("DISPLAY")), ("wayland", environment.get("WAYLAND_DISPLAY"))]
    if environment.get("XDG_SESSION_TYPE") == "wayland":
        found.reverse()
    return [platform for platform, display in found if display]


def window_problems(environment: Mapping[str, str], family: str, loads: Callable[[str], bool] = can_load) -> list[str]:
    """What stands in the way of a window on Linux; one platform that is complete is enough."""
    platforms = wanted_platforms(environment)
    if not platforms:
        return [
            "There is no display here, so the window cannot open.\n"
            "To see Semblance work on the terminal instead:\n\n    make demo\n"
        ]
    lacking = [missing(BASE + PLATFORMS.get(platform, ()), loads) for platform in platforms]
    if all(lacking):
        return ["The window needs some system libraries that are not installed.\n" + how_to_install(family, lacking[0])]
    return []


def offscreen_problems(family: str, loads: Callable[[str], bool] = can_load) -> list[str]:
    if lacking := missing(BASE, loads):
        return ["The window's tests need some system libraries.\n" + how_to_install(family, lacking)]
    return []


def package_tests_problems(family: str, has: Callable[[str], object] = shutil.which) -> list[str]:
    if lacking := [tool for tool in PACKAGE_TESTS if not has(tool.path or tool.name)]:
        return ["The tests of the frozen program need some tools.\n" + how_to_install(family, lacking)]
    return []


def playback_notice(family: str, loads: Callable[[str], bool] = can_load) -> str:
    """A note, not a problem: everything but playing works without these libraries."""
    if lacking := missing(PLAYBACK, loads):
        return "Sounds and videos cannot be played until a library is added.\n" + how_to_install(family, lacking)
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check that this machine has what Semblance needs.")
    parser.add_argument("purpose", choices=("build", "window", "offscreen", "package-tests"))
    purpose = parser.parse_args(arguments).purpose
    problems: list[str] = []
    if purpose == "build":
        problems = build_problems(Machine.here())
    elif sys.platform.startswith("linux"):
        family = this_family()
        looks = {
            "window": lambda: window_problems(os.environ, family),
            "offscreen": lambda: offscreen_problems(family),
            "package-tests": lambda: package_tests_problems(family),
        }
        problems = looks[purpose]()
        notice = playback_notice(family) if purpose == "window" and not problems else ""
        if notice:
            print(notice, file=sys.stderr)
    elif purpose == "package-tests":
        problems = ["The tests of the frozen program run on Linux alone, which can make an empty machine for it.\n"]
    if problems:
        print("\n" + "\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
