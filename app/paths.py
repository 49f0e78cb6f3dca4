"""Where things are: what ships with the program (`resources`) and what the user makes (the data home)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

PORTABLE = "portable"
"""The marker's name; the file may be empty."""

_PROJECT_DIR = Path(__file__).resolve().parent.parent


def resources_dir() -> Path:
    """The read-only data that ships with the program, in a checkout, a wheel and the frozen app alike.

    The wheel carries it as ``app/resources``; a checkout and the frozen app have it beside ``app``.
    """
    installed = Path(__file__).resolve().parent / "resources"
    return installed if installed.is_dir() else _PROJECT_DIR / "resources"


def packs_dir() -> Path:
    """Packs of models that ship with the program; where none do, the folder is not there."""
    return resources_dir() / "packs"


def data_home(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The writable folder of libraries, models and settings.

    First that applies: ``chosen`` (``--home``), ``SEMBLANCE_HOME``, ``indexes/`` beside a checkout or in a portable
    copy, the user's data folder. Nothing is created here.
    """
    if chosen:
        return Path(chosen).absolute()
    if from_environment := os.environ.get("SEMBLANCE_HOME"):
        return Path(from_environment).absolute()
    if copy := portable_folder():
        return copy / "indexes"
    if not is_frozen() and (_PROJECT_DIR / "pyproject.toml").exists() and (_PROJECT_DIR / "indexes").is_dir():
        return _PROJECT_DIR / "indexes"
    return Path(platformdirs.user_data_dir("semblance", appauthor=False))


def is_frozen() -> bool:
    """Whether this is the packed program, which brings its own Python."""
    return bool(getattr(sys, "frozen", False))


def program_dir() -> Path:
    """The folder of a frozen executable; on macOS the one that ``Semblance.app`` is in."""
    program = Path(sys.executable).resolve()
    bundle = next((folder for folder in program.parents if folder.suffix == ".app"), None)
    return (bundle or program).parent if sys.platform == "darwin" else program.parent


def licences_dir() -> Path | None:
    """The licences of what a frozen program carries, beside it or in the bundle of macOS; None where there are none."""
    program = Path(sys.executable).resolve().parent
    places = (program / "licences", program.parent / "Resources" / "licences")
    return next((place for place in places if is_frozen() and place.is_dir()), None)


def portable_folder() -> Path | None:
    """The folder of a portable copy: a frozen one that has a file named ``portable`` beside it."""
    return program_dir() if is_frozen() and (program_dir() / PORTABLE).exists() else None


def libraries_dir(home: Path) -> Path:
    return home / "libraries"


def models_dir(home: Path) -> Path:
    """Weights live in ``models/<key>/``."""
    return home / "models"


def speeds_path(home: Path) -> Path:
    """What was measured of the models on this machine."""
    return home / "speeds.json"


def pasted_dir(home: Path) -> Path:
    """Pictures pasted into the query: kept, because a judged query may name one."""
    return home / "cache" / "pasted"


def reports_cache_dir(home: Path) -> Path:
    """What is kept to draw the plots of reports sooner."""
    return home / "cache" / "plots"


def log_path(home: Path) -> Path:
    """The engine's log."""
    return home / "logs" / "engine.log"


def window_log_path(home: Path) -> Path:
    """What went wrong in the window; there is none while nothing did."""
    return home / "logs" / "window.log"
