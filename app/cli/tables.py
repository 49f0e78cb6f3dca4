"""What a person reads on a terminal."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli import evaluationtables
from app.cli.demo import Demo
from app.engine.judgingtypes import Imported
from app.engine.librarytypes import Failure, IndexReport, LibrarySettings, LibraryStatus, Restored, VerifyReport
from app.engine.modeltypes import ModelStatus
from app.engine.sizes import in_words
from app.engine.types import Hit, SearchReply

SHOWN_FAILURES = 20
PIPE_WIDTH = 500
AWAY = (
    "it is empty or not there; its items are kept. If it lies elsewhere now, index it there: nothing is encoded again. "
    "`semblance forget FOLDER` takes it out"
)


def console() -> Console:
    """Standard output. Into a file or a pipe nothing is folded, so that a line is a line."""
    out = Console(soft_wrap=True)
    return out if out.is_terminal else Console(soft_wrap=True, width=PIPE_WIDTH)


def index(console: Console, report: IndexReport) -> None:
    files = report.files
    console.print(
        f"[bold]{files.seen:,}[/] files: {files.new:,} new, {files.changed:,} changed, {files.renamed:,} renamed, "
        f"{files.unchanged:,} unchanged, {files.removed:,} removed; {files.skipped:,} are no media. "
        f"{report.seconds:.1f} s."
    )
    table = Table("model", "items", "dimensions", "encoded now", box=None, pad_edge=False)
    for key, space in report.spaces.items():
        table.add_row(key, f"{space.items:,}", f"{space.dim:,}", f"{report.encoded.get(key, 0):,}")
    console.print(table)
    for note in report.notes:
        console.print(f"[yellow]{escape(note)}")
    _failures(console, report.failures)


def search(console: Console, reply: SearchReply, nothing: str = "Nothing was found.") -> None:
    """``nothing`` is said where there is no hit."""
    if reply.note:
        console.print(f"[dim]{reply.note}")
    if not reply.hits:
        console.print(nothing)
        return
    table = Table("", "cosine", "found by", "file", box=None, pad_edge=False)
    table.columns[-1].overflow = "fold"
    for hit in reply.hits:
        similarity = f"{hit.similarity:.3f}" if hit.similarity is not None else "–"
        table.add_row(str(hit.rank), similarity, ", ".join(hit.found_by), _file(hit))
    console.print(table)
    who = " and ".join(reply.models) or "keywords"
    console.print(f"[dim]{who}, {'exact' if reply.exact else 'approximate'}, {reply.timings.total_ms:.0f} ms")


def status(console: Console, library: LibraryStatus) -> None:
    console.print(f"[bold]{escape(library.name)}[/] in {escape(library.folder)}, {in_words(library.size_bytes)}")
    for root in library.roots:
        away = "" if root.online else f" [yellow]({AWAY})[/]"
        console.print(f"  {_name(root.path)}: {root.files:,} files, {root.items:,} items{away}")
    if not library.roots:
        console.print("  No folder yet: semblance index FOLDER")
    for key, space in library.spaces.items():
        console.print(f"  {key}: {space.items:,} items of {space.dim:,} numbers")
    for key, space in library.kept.items():
        console.print(f"  {key}, not used: {space.items:,} items of {space.dim:,} numbers are kept")
    for key, space in library.earlier.items():
        console.print(
            f"  {key}, with earlier weights: {space.items:,} items are kept: `semblance models forget {key} --earlier` "
            "frees them"
        )
    console.print(f"  {library.judgments:,} judgments")
    for backup in library.backups:
        console.print(
            f"  A copy from before the last upgrade, {in_words(backup.size_bytes)}; delete it when all is well: "
            f"{escape(backup.path)}"
        )
    for kept in library.set_aside:
        console.print(
            f"  What a newer version had made of it until {_day(kept.changed_ms)}, {in_words(kept.size_bytes)}: "
            f"{escape(kept.path)}"
        )
    _failures(console, library.failures)


def _day(at_ms: int) -> str:
    return datetime.datetime.fromtimestamp(at_ms / 1000).astimezone().date().isoformat()


def restored(console: Console, back: Restored) -> None:
    console.print(f"The library is what it was before the upgrade: {escape(back.path)}")
    if back.set_aside:
        console.print(f"What it was until now is kept: {escape(back.set_aside)}")


def library_settings(console: Console, settings: LibrarySettings, is_due: bool) -> None:
    """``is_due``: the library is not indexed by these settings yet."""
    console.print(f"A frame of a video every {settings.frame_interval_ms / 1000:g} s")
    console.print(f"A sound is cut every {settings.window_ms / 1000:g} s")
    console.print(f"Left out: {escape(', '.join(settings.excluded)) or 'nothing'}")
    console.print(f"Hidden files and folders: {'looked into' if settings.hidden else 'passed by'}")
    console.print(f"Changes are followed while the library is open in the window: {'yes' if settings.watch else 'no'}")
    if is_due:
        console.print("[dim]The next `semblance index` brings the library in line with this.")


def verified(console: Console, report: VerifyReport) -> None:
    for sentence in report.sentences:
        console.print(escape(sentence))
    if not report.sentences:
        console.print(f"Nothing is damaged. {report.seconds:.1f} s.")


def bench(console: Console, report: Mapping[str, Any]) -> None:
    console.print(f"[bold]{escape(report['machine'])}[/], load {report['load'][0]:.2f} to {report['load'][1]:.2f}")
    table = Table("", "what", "ratio", "target", "runs", "spread", box=None, pad_edge=False)
    for each in report["figures"]:
        mark = "[green]met[/]" if each["met"] else "[yellow]missed[/]"
        ratio, spread = f"{each['ratio']:.3f}", f"{each['spread']:.0%}"
        table.add_row(mark, escape(each["name"]), ratio, each["target"], str(each["runs"]), spread)
    console.print(table)
    for each in report["figures"]:
        details = [f"{name} {value:,.6g}" for name, value in each["details"].items()]
        limit = f"{'what limits it' if each['met'] else 'limited by'}: {each['limited_by']}"
        told = f"{', '.join(details)}; {limit}" if details else limit
        console.print(f"[dim]{escape(each['name'])}: {escape(told)}.")
    for sentence in report["left_out"]:
        console.print(f"[yellow]Left out: {escape(sentence)}")


def models(console: Console, statuses: Sequence[ModelStatus]) -> None:
    table = Table("model", "compares", "licence", "state", box=None, pad_edge=False)
    for model in statuses:
        lacks = "weights missing" if model.files and not model.damaged else "cannot be used"
        state = "[green]ready[/]" if model.ready else f"[yellow]{lacks}[/]"
        table.add_row(model.key, ", ".join(sorted(model.accepts)), escape(model.licence), state)
    console.print(table)
    for model in statuses:
        if not model.ready:
            fetch = f" Or fetch it: semblance models install {model.key}" if model.source else ""
            console.print(f"[bold]{model.key}[/]: {escape(model.problem)}{fetch}")


def imported(console: Console, taken: Imported) -> None:
    name = escape(taken.set_name)
    if taken.queries:
        console.print(f"{taken.judgments:,} judgments of {taken.queries:,} queries taken in, into “{name}”.")
    else:
        console.print(f"There is nothing new for “{name}”.")
    for note in taken.notes:
        console.print(f"[dim]{escape(note)}")
    if taken.unknown:
        console.print(
            f"{taken.unknown_count:,} names mean nothing in this library, the first: {escape(taken.unknown[0])}"
        )


def demo(console: Console, shown: Demo) -> None:
    index(console, shown.report)
    for title, reply in shown.searches:
        console.print(f"\n[bold]{escape(title)}[/]")
        search(console, reply)
    console.print("\n[bold]Which model is best here?[/]")
    evaluationtables.evaluation(console, shown.evaluation)


def _failures(console: Console, failures: Sequence[Failure]) -> None:
    if failures:
        console.print(f"{len(failures):,} could not be read:")
    for failure in failures[:SHOWN_FAILURES]:
        console.print(f"  {_name(failure.path)}: [dim]{escape(failure.reason)}")
    if len(failures) > SHOWN_FAILURES:
        console.print(f"  and {len(failures) - SHOWN_FAILURES:,} more: see --json")


def _file(hit: Hit) -> str:
    moment = "" if hit.start_ms is None else f" [cyan]{hit.start_ms / 1000:.1f} s[/]"
    copies = f" [dim]+{hit.copies} copies[/]" if hit.copies else ""
    return _name(hit.path) + moment + copies


def _name(path: str) -> str:
    """A path as it can be printed: shortened where it lies below, and with the bytes that are no text escaped."""
    here = Path.cwd()
    shown = os.path.relpath(path, here) if Path(path).is_relative_to(here) else path
    return escape(shown.encode("utf-8", "backslashreplace").decode())
