"""What is written for Windows and macOS, as far as it can be looked at on any system."""

from __future__ import annotations

import plistlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from app import __version__

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SCRIPT = PACKAGING / "windows" / "semblance.iss"

SECTIONS = {"Setup", "Languages", "Tasks", "InstallDelete", "Files", "Icons", "Registry", "Run"}
CONSTANTS = {"app", "autopf", "autoprograms", "autodesktop", "cm"}
GIVEN = {"Version", "Numbers", "Folder", "Out", "Generated"}
"""What installer.py tells the compiler."""


@pytest.fixture(scope="module")
def tools():
    """The scripts as modules: packaging/ is no package."""
    before = list(sys.path)
    sys.path.insert(0, str(PACKAGING))
    try:
        from macos import image, info
        from windows import installer, resources

        return SimpleNamespace(installer=installer, resources=resources, image=image, info=info)
    finally:
        sys.path[:] = before


@pytest.fixture(scope="module")
def script() -> dict[str, list[str]]:
    """The lines of the Inno Setup script by section, without comments and directives of the preprocessor."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in SCRIPT.read_text("utf-8").splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            name = found[1]
        elif line and not line.startswith((";", "#")):
            sections.setdefault(name, []).append(line)
    return sections


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frozen = tmp_path / "semblance"
    (frozen / "_internal").mkdir(parents=True)
    for name in ("semblance.exe", "semblance-window.exe", "LICENSE", "_internal/python.dll"):
        (frozen / name).write_bytes(b"x" * 1000)
    return frozen


# --- Windows ---------------------------------------------------------------------------------------------------------


def test_the_script_has_known_sections_constants_and_values(script):
    assert set(script) == SECTIONS
    text = SCRIPT.read_text("utf-8")
    lines = [line for lines in script.values() for line in lines if not line.startswith("AppId=")]
    named = {name.split(",")[0].split(":")[0] for line in lines for name in re.findall(r"\{([a-z][^}]*)\}", line)}
    assert named <= CONSTANTS
    own = set(re.findall(r"#define (\w+)", text))
    assert set(re.findall(r"\{#(\w+)\}", text)) <= GIVEN | own


def test_it_installs_for_one_user_and_an_upgrade_finds_the_version_before(script):
    setup = dict(line.split("=", 1) for line in script["Setup"])
    assert setup["PrivilegesRequired"] == "lowest"
    assert re.fullmatch(r"\{\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", setup["AppId"])
    assert all("Root: HKA;" in line for line in script["Registry"])


def test_what_a_user_made_is_never_deleted(script):
    assert "UninstallDelete" not in script
    deleted = re.findall(r'Name: "([^"]*)"', "\n".join(script["InstallDelete"]))
    assert deleted == [r"{app}\_internal", r"{app}\licences"]


def test_no_file_is_opened_by_the_program_unasked(script):
    """No value without a name in the key of an ending: that is where Windows keeps the default program."""
    assert not re.search(r'Subkey: "Software\\Classes\\\.\w+"', "\n".join(script["Registry"]))


def test_every_ending_that_is_read_is_offered_and_that_of_typescript_is_not(tools, tmp_path):
    tools.installer.write_associations(tmp_path)
    written = (tmp_path / "associations.iss").read_text("utf-8")
    offered = set(re.findall(r"Classes\\\.(\w+)\\OpenWithProgids", written))
    assert {"jpg", "heic", "mp4", "flac"} <= offered
    assert "ts" not in offered


def test_the_compiler_is_told_the_version_and_where_things_are(tools, folder, tmp_path, monkeypatch):
    monkeypatch.delenv("SEMBLANCE_SIGN_COMMAND", raising=False)
    told = tools.installer.arguments(folder, tmp_path / "dist", tmp_path / "work")
    assert {word[2:].split("=")[0] for word in told if word.startswith("/D")} == GIVEN
    assert f"/DVersion={__version__}" in told
    assert told[-1] == str(SCRIPT)


def test_a_folder_that_is_too_large_for_one_file_is_sliced_and_a_command_signs(tools, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tools.installer, "LARGEST_SINGLE_BYTES", 3999)
    monkeypatch.setenv("SEMBLANCE_SIGN_COMMAND", "signtool sign $f")
    told = tools.installer.arguments(folder, tmp_path, tmp_path)
    assert {"/DSlices", "/DSigned", "/Ssign=signtool sign $f"} <= set(told)


def test_without_inno_setup_the_way_to_it_is_told(tools, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("ProgramFiles(x86)", "ProgramFiles", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tools.installer.NoCompiler, match="Inno Setup"):
        tools.installer.compiler()


def test_the_manifest_asks_for_long_paths_sharp_letters_and_utf8():
    root = ElementTree.parse(PACKAGING / "windows" / "semblance.manifest").getroot()
    settings = {element.tag.split("}")[1]: element.text for element in root.iter() if "WindowsSettings" in element.tag}
    assert settings == {
        "dpiAware": "true/pm",
        "dpiAwareness": "PerMonitorV2",
        "longPathAware": "true",
        "activeCodePage": "UTF-8",
    }


@pytest.mark.parametrize(
    ("version", "numbers"), [("0.1.0", (0, 1, 0, 0)), ("1.2", (1, 2, 0, 0)), ("2.0.0rc1", (2, 0, 0, 0))]
)
def test_a_version_has_four_numbers_on_windows(tools, version, numbers):
    assert tools.resources.four_numbers(version) == numbers


def test_the_version_resource_names_the_program(tools):
    forms = SimpleNamespace(
        **{
            name: lambda *words, name=name, **named: (name, words, named)
            for name in (
                *("StringTable", "StringStruct", "VSVersionInfo", "FixedFileInfo", "StringFileInfo", "VarFileInfo"),
                "VarStruct",
            )
        }
    )
    resource = tools.resources.version_resource(forms, "semblance-window", "0.1.0")
    assert "('FileDescription', 'Semblance')" in str(resource)
    assert "'filevers': (0, 1, 0, 0)" in str(resource)


# --- macOS -----------------------------------------------------------------------------------------------------------


def test_info_plist_can_be_written_and_makes_the_program_no_ones_default(tools):
    info = plistlib.loads(plistlib.dumps(tools.info.info_plist("0.1.0")))
    assert info["CFBundleShortVersionString"] == "0.1.0"
    assert info["CFBundleExecutable"] == "semblance-window"
    assert not info["LSBackgroundOnly"]
    for kind in info["CFBundleDocumentTypes"]:
        assert (kind["CFBundleTypeRole"], kind["LSHandlerRank"]) == ("Viewer", "Alternate")
    reasons = {key: text for key, text in info.items() if key.endswith("UsageDescription")}
    assert "NSRemovableVolumesUsageDescription" in reasons
    assert all(text.endswith("They stay on this Mac.") for text in reasons.values())


def test_entitlements_are_those_that_python_needs_and_no_more(tools):
    rights = plistlib.loads(tools.image.ENTITLEMENTS.read_bytes())
    assert rights == {"com.apple.security.cs.allow-unsigned-executable-memory": True}


@pytest.fixture
def application(tmp_path: Path) -> Path:
    app = tmp_path / "Semblance.app"
    library = b"\xcf\xfa\xed\xfe" + bytes(8)
    for place in ("MacOS/semblance-window", "Frameworks/libc10.dylib", "Frameworks/QtCore.framework/Versions/A/QtCore"):
        path = app / "Contents" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(library)
    (app / "Contents" / "Resources").mkdir()
    (app / "Contents" / "Resources" / "text.txt").write_bytes(b"text")
    (app / "Contents" / "Frameworks" / "QtCore.framework" / "QtCore").symlink_to("Versions/A/QtCore")
    return app


def test_an_application_is_signed_from_the_inside_out(tools, application):
    commands = tools.image.signing(application, "Developer ID Application: Someone")
    signed = [Path(command[-1]).name for command in commands]
    assert signed == ["QtCore", "libc10.dylib", "QtCore.framework", "semblance-window", "Semblance.app"]
    assert all({"--timestamp", "runtime"} <= set(command) for command in commands)
    assert ["--entitlements" in command for command in commands] == [False, False, False, True, True]


def test_without_an_identity_it_is_signed_ad_hoc_and_without_the_hardened_runtime(tools, application):
    commands = tools.image.signing(application, tools.image.AD_HOC)
    assert all("-" in command and "runtime" not in command for command in commands)


def test_the_licences_go_into_the_application(tools, application, folder):
    (folder / "licences").mkdir()
    (folder / "licences" / "index.html").write_text("", "utf-8")
    tools.image.furnish(application, folder)
    assert (application / "Contents" / "Resources" / "licences" / "index.html").is_file()
    assert (application / "Contents" / "Resources" / "LICENSE").is_file()
