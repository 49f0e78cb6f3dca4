"""Make the installer for Windows out of the frozen folder: ``python packaging/windows/installer.py``.

Needs Inno Setup 6.3 or later: its compiler ISCC on the PATH, or in the folder that its own installer chooses. With
SEMBLANCE_SIGN_COMMAND, a command with "$f" where the file goes, the installer and its uninstaller are signed by it.
Not yet run on Windows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # packaging/ is a plain folder of scripts

from windows.resources import four_numbers

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
SCRIPT = HERE / "semblance.iss"
LARGEST_SINGLE_BYTES = 2_000_000_000
"""A folder of no more than this makes an installer of one file that a release can carry."""

ENTRY = (
    'Root: HKA; Subkey: "Software\\Classes\\.{ending}\\OpenWithProgids"; ValueType: none; '
    'ValueName: "Semblance.Media"; Flags: uninsdeletevalue; Tasks: openwith\n'
    'Root: HKA; Subkey: "Software\\Classes\\Applications\\semblance-window.exe\\SupportedTypes"; ValueType: string; '
    'ValueName: ".{ending}"; ValueData: ""; Tasks: openwith\n'
)
NOT_OURS = frozenset({"ts"})
"""A programmer's files, oftener than a television's."""


class NoCompiler(Exception):
    """Inno Setup is not installed; the message says where to get it."""


def build(folder: Path, out: Path, work: Path) -> list[Path]:
    """The installer, and its slices where it has any, in ``out``; ``work`` is for what the script includes.

    Raises NoCompiler, or CalledProcessError where ISCC refuses the script.
    """
    from app import __version__

    made = f"semblance-{__version__}-windows-*-setup*"
    for earlier in out.glob(made):  # which may have had more slices
        earlier.unlink()
    write_generated(work)
    subprocess.run([compiler(), *arguments(folder, out, work)], check=True)
    return sorted(out.glob(made))


def arguments(folder: Path, out: Path, work: Path) -> list[str]:
    """What ISCC is told."""
    from app import __version__

    numbers = ".".join(map(str, four_numbers(__version__)))
    told = {"Version": __version__, "Numbers": numbers, "Folder": folder, "Out": out, "Generated": work}
    words = [f"/D{name}={value}" for name, value in told.items()]
    if folder_bytes(folder) > LARGEST_SINGLE_BYTES:
        words.append("/DSlices")
    if command := os.environ.get("SEMBLANCE_SIGN_COMMAND"):
        words += ["/DSigned", f"/Ssign={command}"]
    return [*words, "/Qp", str(SCRIPT)]


def write_generated(work: Path) -> None:
    """What the script includes: the icon and the associations."""
    import icons

    work.mkdir(parents=True, exist_ok=True)
    icons.write_ico(work / "semblance.ico")
    write_associations(work)


def write_associations(work: Path) -> None:
    """Two lines for the registry for every ending of a file that the program reads."""
    entries = "".join(ENTRY.format(ending=ending) for ending in endings())
    (work / "associations.iss").write_text(entries, encoding="utf-8")


def endings() -> list[str]:
    from app.engine.media.scan import _KINDS

    return sorted(set(_KINDS) - NOT_OURS)


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def compiler() -> str:
    """The path of ISCC. Raises NoCompiler."""
    homes = [os.environ.get(name) for name in ("ProgramFiles(x86)", "ProgramFiles", "LOCALAPPDATA")]
    usual = [Path(home, *inside, "Inno Setup 6") for home in homes if home for inside in ((), ("Programs",))]
    found = shutil.which("ISCC") or next(
        (str(path / "ISCC.exe") for path in usual if (path / "ISCC.exe").is_file()), ""
    )
    if not found:
        raise NoCompiler(
            "The installer is made by Inno Setup 6.3 or later. Get it from https://jrsoftware.org/isdl.php"
        )
    return found


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent), str(PROJECT)]
    try:
        made = build(PROJECT / "dist" / "semblance", PROJECT / "dist", PROJECT / "build" / "windows")
    except NoCompiler as lack:
        sys.exit(str(lack))
    print("\n".join(map(str, made)))
