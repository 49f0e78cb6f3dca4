"""What a test query is called where nobody has given it a title."""

from __future__ import annotations

from pathlib import Path

from app.engine.types import Modality, Query


def title_of(query: Query) -> str:
    """A query's words and the names of its files."""
    names = []
    for part in query.parts:
        name = part.text if part.modality is Modality.TEXT else Path(part.path).name or part.content[:12]
        names.append(name if part.weight > 0 else f"not {name}")
    return " + ".join(names)
