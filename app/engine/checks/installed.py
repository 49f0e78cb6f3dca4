"""The models that are on this machine: whether their files are there. Nothing is hashed."""

from __future__ import annotations

from pathlib import Path

from app.engine.checks.names import MODELS_TITLE
from app.engine.checks.telling import again, detail, fine, note, problem
from app.engine.checktypes import Finding
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import CatalogueDamaged

KEY = "models"
_REMEDY = "On the Models page, install these anew or remove them (semblance models list says more)."


def look(models_dir: Path, resources: Path) -> Finding:
    """Plug-ins are imported for it."""
    try:
        catalogue = Catalogue(models_dir, entries=resources / "models.toml")
    except CatalogueDamaged as error:
        return problem(KEY, MODELS_TITLE, f"{error.title} ({error.path}: {detail(error.__cause__ or error)}).", again())
    statuses = catalogue.statuses()
    if damaged := [status for status in statuses if status.damaged]:
        more = f" {len(damaged) - 1} more cannot be used either." if len(damaged) > 1 else ""
        return problem(KEY, MODELS_TITLE, f"{damaged[0].name}: {damaged[0].problem}{more}", _REMEDY)
    if unreadable := catalogue.unreadable():
        return problem(KEY, MODELS_TITLE, " ".join(unreadable))
    ready = sum(status.ready for status in statuses)
    sentence = f"{ready} of {len(statuses)} models are ready."
    if left_out := catalogue.left_out():
        return note(KEY, MODELS_TITLE, " ".join((sentence, *left_out)))
    return fine(KEY, MODELS_TITLE, sentence)
