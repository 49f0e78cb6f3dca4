"""What the executables tell Windows of themselves: the version resource and the manifest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENGLISH_UNICODE = "040904B0"
DESCRIPTIONS = {"semblance": "Semblance on the command line", "semblance-window": "Semblance"}
"""What Windows shows for the program: in "Open with", in the task manager."""


def exe_options(name: str) -> dict[str, Any]:
    """Further arguments of PyInstaller's EXE for the executable ``name``; none on other systems."""
    if sys.platform != "win32":
        return {}
    from PyInstaller.utils.win32 import versioninfo

    from app import __version__

    return {"manifest": str(HERE / "semblance.manifest"), "version": version_resource(versioninfo, name, __version__)}


def version_resource(forms: Any, name: str, version: str) -> Any:
    """The version resource (VS_VERSIONINFO), in the forms of PyInstaller's module ``versioninfo``."""
    numbers = four_numbers(version)
    strings = {
        "CompanyName": "The authors of Semblance",
        "FileDescription": DESCRIPTIONS[name],
        "FileVersion": version,
        "InternalName": name,
        "LegalCopyright": "Under the MIT licence",
        "OriginalFilename": f"{name}.exe",
        "ProductName": "Semblance",
        "ProductVersion": version,
    }
    table = forms.StringTable(ENGLISH_UNICODE, [forms.StringStruct(key, text) for key, text in strings.items()])
    return forms.VSVersionInfo(
        ffi=forms.FixedFileInfo(filevers=numbers, prodvers=numbers, mask=0x3F, OS=0x40004, fileType=1),
        kids=[forms.StringFileInfo([table]), forms.VarFileInfo([forms.VarStruct("Translation", [0x0409, 0x04B0])])],
    )


def four_numbers(version: str) -> tuple[int, int, int, int]:
    """A version as Windows counts: what is not a number ("rc1") is left off."""
    numbers = [int(part) for part in version.split(".") if part.isdigit()][:4]
    first, second, third, fourth = numbers + [0] * (4 - len(numbers))
    return first, second, third, fourth
