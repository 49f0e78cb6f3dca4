"""What is said of the licences of models where they are handed on."""

from __future__ import annotations

from collections.abc import Iterable

from app.engine.encoders.entries import Entry
from app.paths import resources_dir


def licence_notices(entries: Iterable[Entry]) -> str:
    """Each model's licence by its SPDX name and in a sentence, then the full texts of those that ship here."""
    entries = tuple(entries)
    parts = ["The models in this pack, and what their makers allow."]
    parts += [_notice(entry) for entry in entries]
    for licence in sorted({entry.licence for entry in entries}):
        text = resources_dir() / "licences" / f"{licence}.txt"
        if text.is_file():
            parts.append(f"{'=' * 80}\n{licence}\n{'=' * 80}\n\n{text.read_text('utf-8')}")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _notice(entry: Entry) -> str:
    lines = [entry.name, f"  in models/{entry.key}", f"  Licence: {entry.licence}. {entry.licence_note}".rstrip()]
    lines += [f"  From: {entry.source}"] if entry.source else []
    lines += [f"  Paper: {entry.paper}"] if entry.paper else []
    return "\n".join(lines)
