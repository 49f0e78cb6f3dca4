"""The models that are on this machine: whether their files are there. Nothing is hashed."""

from __future__ import annotations

from pathlib import Path

from app.engine.checks.names import MODELS_TITLE
from app.engine.checks.telling import fine, note, problem
from app.engine.checktypes import Finding
from app.engine.encoders.catalogue import Catalogue

KEY = "models"
_REMEDY = "On the Models page, install these anew or remove them (semblance models list says more)."


def look(models_dir: Path) -> Finding:
    """Plug-ins are imported for it."""
    catalogue = Catalogue(models_dir)
    statuses = catalogue.statuses()
    if damaged := [status for status in statuses if status.damaged]:
        more = f" {len(damaged) - 1} more cannot be used either." if len(damaged) > 1 else ""
        return problem(KEY, MODELS_TITLE, f"{damaged[0].name}: {damaged[0].problem}{more}", _REMEDY)
    ready = sum(status.ready for status in statuses)
    sentence = f"{ready} of {len(statuses)} models are ready."
    if left_out := catalogue.left_out():
        return note(KEY, MODELS_TITLE, f"{sentence} {left_out[0]}")
    return fine(KEY, MODELS_TITLE, sentence)
