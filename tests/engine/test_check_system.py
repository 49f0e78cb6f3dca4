"""A machine that lacks something is told what to install, in words that can be copied to a terminal."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "check_system.py"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    """The script as a module: it stands outside the package, because it runs before anything is installed."""
    spec = importlib.util.spec_from_file_location("check_system", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def good_machine(check):
    return check.Machine(
        python=(3, 11), system="linux", family="debian", venv=True, compiler=True, headers=True, free_bytes=10**11
    )


def loads_all_but(*sonames):
    return lambda soname: soname not in sonames


def test_a_complete_machine_has_no_problems(check, good_machine):
    assert check.build_problems(good_machine) == []
    assert check.window_problems({"DISPLAY": ":0"}, "debian", loads_all_but()) == []
    assert check.offscreen_problems("debian", loads_all_but()) == []
    assert check.playback_notice("debian", loads_all_but()) == ""


def test_no_display_is_said_and_the_demo_named(check):
    (problem,) = check.window_problems({}, "debian", loads_all_but())
    assert "no display" in problem
    assert "make demo" in problem


@pytest.mark.parametrize(
    ("family", "soname", "command"),
    [
        ("debian", "libxcb-cursor.so.0", "apt-get install libxcb-cursor0"),
        ("debian", "libEGL.so.1", "apt-get install libegl1"),
        ("fedora", "libxcb-icccm.so.4", "dnf install xcb-util-wm"),
    ],
)
def test_a_missing_library_names_its_package(check, family, soname, command):
    (problem,) = check.window_problems({"DISPLAY": ":0"}, family, loads_all_but(soname))
    assert soname in problem
    assert command in problem


def test_one_package_that_holds_many_libraries_is_named_once(check):
    lacking = loads_all_but("libxcb-shm.so.0", "libxcb-xkb.so.1", "libxcb-sync.so.1")
    (problem,) = check.window_problems({"DISPLAY": ":0"}, "fedora", lacking)
    assert "dnf install libxcb\n" in problem


def test_an_unknown_linux_gets_the_library_and_debians_name(check):
    (problem,) = check.window_problems({"DISPLAY": ":0"}, "", loads_all_but("libxcb-cursor.so.0"))
    assert "libxcb-cursor.so.0" in problem
    assert "libxcb-cursor0" in problem


def test_one_complete_platform_is_enough_for_a_window(check):
    both = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland"}
    assert check.window_problems(both, "debian", loads_all_but("libxcb-cursor.so.0")) == []
    assert check.window_problems(both, "debian", loads_all_but("libwayland-client.so.0")) == []
    (problem,) = check.window_problems(both, "debian", loads_all_but("libGL.so.1"))
    assert "libgl1" in problem


def test_a_chosen_platform_decides_what_is_looked_for(check):
    offscreen = {"QT_QPA_PLATFORM": "offscreen"}
    assert check.window_problems(offscreen, "debian", loads_all_but("libxcb-cursor.so.0")) == []
    assert check.window_problems(offscreen, "debian", loads_all_but("libxkbcommon.so.0"))


def test_missing_sound_libraries_are_a_note_and_no_obstacle(check):
    lacking = loads_all_but("libpulse.so.0")
    assert check.window_problems({"DISPLAY": ":0"}, "debian", lacking) == []
    assert "libpulse0" in check.playback_notice("debian", lacking)


def test_tests_without_a_display_need_no_display_libraries(check):
    assert check.offscreen_problems("debian", loads_all_but("libxcb-cursor.so.0", "libpulse.so.0")) == []
    (problem,) = check.offscreen_problems("debian", loads_all_but("libEGL.so.1"))
    assert "libegl1" in problem


def test_an_old_python_is_the_only_thing_said(check, good_machine):
    (problem,) = check.build_problems(replace(good_machine, python=(3, 9), compiler=False, venv=False))
    assert "Python 3.9" in problem
    assert "3.11" in problem


@pytest.mark.parametrize(
    ("lack", "debian", "fedora"),
    [
        ({"venv": False}, "apt-get install python3.11-venv", "dnf install python3"),
        ({"compiler": False}, "apt-get install g++", "dnf install gcc-c++"),
        ({"headers": False}, "apt-get install python3.11-dev", "dnf install python3-devel"),
    ],
)
def test_a_missing_build_tool_names_its_package(check, good_machine, lack, debian, fedora):
    assert debian in check.build_problems(replace(good_machine, **lack))[0]
    assert fedora in check.build_problems(replace(good_machine, family="fedora", **lack))[0]


def test_a_missing_compiler_on_macos_and_windows_has_its_own_way_out(check, good_machine):
    bare = replace(good_machine, compiler=False, family="")
    assert "xcode-select --install" in check.build_problems(replace(bare, system="darwin"))[0]
    assert "Build Tools" in check.build_problems(replace(bare, system="win32"))[0]


def test_a_full_disk_says_how_much_is_free_and_how_much_is_needed(check, good_machine):
    (problem,) = check.build_problems(replace(good_machine, free_bytes=2_500_000_000))
    assert "2.5 GB" in problem
    assert "8 GB" in problem


@pytest.mark.parametrize(
    ("os_release", "family"),
    [
        ("ID=debian\n", "debian"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian"),
        ("NAME=Fedora\nID=fedora\n", "fedora"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=arch\n", ""),
        ("", ""),
    ],
)
def test_the_family_of_a_linux_is_read_from_its_os_release(check, os_release, family):
    assert check.linux_family(os_release) == family


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a display is looked for on Linux only")
def test_the_script_without_a_display_exits_with_one_and_a_sentence():
    bare = {"PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "window"], env=bare, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "make demo" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_tools_that_test_the_frozen_program_are_named_with_their_packages(check):
    (problem,) = check.package_tests_problems("debian", lambda name: name not in ("bwrap", "xdotool"))
    assert "bwrap, xdotool" in problem
    assert "apt-get install bubblewrap xdotool" in problem
    assert check.package_tests_problems("debian", lambda name: True) == []
