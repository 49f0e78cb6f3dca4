"""What a person reads on a terminal about models that are installed and removed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from app.engine.modeltypes import ModelStatus, PackReport

BYTES_PER_MB = 1_000_000


def installed(console: Console, statuses: Sequence[ModelStatus]) -> None:
    for status in statuses:
        state = "[green]is ready[/]" if status.ready else f"is not ready: {escape(status.problem)}"
        console.print(f"[bold]{escape(status.key)}[/] {state}")


def pack(console: Console, report: PackReport) -> None:
    """A pack that was written or taken in."""
    console.print(f"{escape(report.path)}, {size(report.size_bytes)}: {escape(', '.join(report.models)) or 'no model'}")
    if report.skipped:
        console.print(f"[dim]Here already, the same to the byte: {escape(', '.join(report.skipped))}")


def size(size_bytes: int) -> str:
    """A size as sources name theirs, in units of a thousand."""
    if size_bytes < BYTES_PER_MB:
        return f"{size_bytes / 1000:,.1f} kB"
    return f"{size_bytes / BYTES_PER_MB:,.1f} MB"
