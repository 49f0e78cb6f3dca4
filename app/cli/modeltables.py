"""What a person reads on a terminal about models that are installed and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from app.engine.modeltypes import Advice, InstallPlan, Measuring, ModelCheck, ModelStatus, PackReport, Pin
from app.engine.sizes import in_words

NOT_FIXED = "not fixed: what the hub holds now is fetched, and its commit is noted in the record"
SHOWN_ADVICE = 5
PINS = {
    Pin.PUBLISHED: "as its makers publish it",
    Pin.HUB: "as the hub named it",
    Pin.FIRST_USE: "its own when it came: no published one is known",
}


def installed(console: Console, statuses: Sequence[ModelStatus]) -> None:
    for status in statuses:
        state = "[green]is ready[/]" if status.ready else f"is not ready: {escape(status.problem)}"
        console.print(f"[bold]{escape(status.key)}[/] {state}")
        files = status.installation.files if status.installation else ()
        if noted := [file.name for file in files if file.pin is Pin.FIRST_USE]:
            console.print(f"[dim]No published checksum of {escape(', '.join(noted))} is known: its own was noted.")


def info(console: Console, status: ModelStatus) -> None:
    console.print(f"[bold]{escape(status.name)}[/] ({escape(status.key)}): {escape(status.summary)}")
    _facts(
        console,
        {
            "state": "ready" if status.ready else status.problem,
            "compares": ", ".join(sorted(status.accepts)),
            "languages": ", ".join(status.languages),
            "licence": _licence(status.licence, status.licence_note, status.commercial),
            "source": status.source,
            "download": in_words(status.download_bytes) if status.download_bytes else "",
            "memory": in_words(status.memory_bytes) if status.memory_bytes else "",
            "paper": status.paper,
            "folder": status.folder,
        },
    )
    if installed := status.installation:
        _facts(console, {"installed": installed.installed_utc, "from": installed.source, "commit": installed.revision})
        for file in installed.files:
            console.print(
                f"  {escape(file.name)}, {in_words(file.size_bytes)}, SHA-256 {file.sha256} ({PINS[file.pin]})"
            )


def plans(console: Console, agreed: Sequence[InstallPlan]) -> None:
    """What a person is asked to agree to."""
    for plan in agreed:
        here = f", of which {in_words(plan.present_bytes)} are here already" if plan.present_bytes else ""
        download = "not known" if plan.download_bytes is None else f"{in_words(plan.download_bytes)}{here}"
        console.print(f"[bold]{escape(plan.name)}[/] ({escape(plan.key)})")
        _facts(
            console,
            {
                "from": plan.address,
                "commit": "" if plan.fixed else NOT_FIXED,
                "files": ", ".join(plan.files),
                "size": f"{download}; {in_words(plan.free_bytes)} are free",
                "licence": _licence(plan.licence, plan.licence_note, plan.commercial),
                "into": plan.folder,
            },
        )


def removed(console: Console, key: str) -> None:
    console.print(
        f"The files of {escape(key)} are deleted. What it computed stays in the libraries: "
        f"`semblance models forget {escape(key)}` deletes that."
    )


def verified(console: Console, checks: Sequence[ModelCheck]) -> None:
    for check in checks:
        if check.problems:
            console.print(f"[bold]{escape(check.key)}[/]: [yellow]{escape(' '.join(check.problems))}")
        elif not check.files:
            console.print(f"[bold]{escape(check.key)}[/]: it has no files of its own; nothing was checked")
        else:
            files = "file" if check.files == 1 else "files"
            first = "" if check.pinned else "; put in place by hand, and noted now for the next check"
            console.print(f"[bold]{escape(check.key)}[/]: {check.files} {files}, every byte as it was{first}")
    if not checks:
        console.print("No model with files of its own is here.")


def pack(console: Console, report: PackReport) -> None:
    """A pack that was written or taken in."""
    console.print(
        f"{escape(report.path)}, {in_words(report.size_bytes)}: {escape(', '.join(report.models)) or 'no model'}"
    )
    if report.skipped:
        console.print(f"[dim]Here already, the same to the byte: {escape(', '.join(report.skipped))}")
    console.print(f"[dim]SHA-256 of its manifest: {report.sha256}")


def offered(console: Console, packs: Sequence[PackReport]) -> None:
    """Models that ship inside the program and could be taken in."""
    if keys := [key for pack in packs for key in pack.models]:
        console.print(f"This copy carries {escape(', '.join(keys))}: semblance models import-pack --carried")


def carried(console: Console, reports: Sequence[PackReport]) -> None:
    """The packs inside the program that were taken in."""
    for report in reports:
        pack(console, report)
    if not reports:
        console.print("This copy of the program carries no model that is not here already.")


def advice(console: Console, given: Advice) -> None:
    """The first of the models that fit and those that are here, the names of the next, and why the others do not."""
    if not given.best:
        console.print("No model fits.")
    shown = [one for place, one in enumerate(given.best) if place < SHOWN_ADVICE or one.download_bytes == 0]
    for place, one in enumerate(shown, 1):
        facts = [f"{in_words(one.memory_bytes)} of memory"] if one.memory_bytes else []
        facts += [f"{in_words(one.download_bytes)} to download"] if one.download_bytes else []
        if one.items and one.seconds is not None:
            how = "timed" if one.measured else "usual" if one.rough else "reckoned"
            example = "an example of " if one.assumed else ""
            facts.append(f"{example}{one.items:,} items in about {_time(one.seconds)} ({how})")
        console.print(f"{place}. [bold]{escape(one.key)}[/] [dim]{', '.join(facts)}")
        for sentence in one.reasons:
            console.print(f"   {escape(sentence)}")
        for sentence in one.cautions:
            console.print(f"   [yellow]{escape(sentence)}")
    if more := [one.key for one in given.best if one not in shown]:
        console.print(f"These fit too: {escape(', '.join(more))}")
    for sentence in given.notes:
        console.print(escape(sentence))
    if given.best and all(one.seconds is None or one.rough for one in given.best):
        times = "Times are those of usual processors" if any(one.rough for one in given.best) else "Times are not known"
        console.print(f"[dim]{times}: `semblance models measure` finds out how fast this machine is.")
    for one in given.others:
        console.print(f"[dim]not {escape(one.key)}: {escape(' '.join(one.cautions))}")


def measured(console: Console, report: Measuring) -> None:
    for key, reason in report.failed.items():
        console.print(f"[bold]{escape(key)}[/]: [yellow]{escape(reason)}")
    if report.measured:
        console.print(f"Measured {escape(', '.join(report.measured))}: see `semblance models advise`.")


def _time(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 5400 else f"{max(1, round(seconds / 60))} min"


def _licence(licence: str, note: str, commercial: bool | None) -> str:
    at_work = {True: "yes", False: "no", None: "not known"}[commercial]
    return f"{licence}. {note} At work: {at_work}."


def _facts(console: Console, facts: Mapping[str, str]) -> None:
    for name, fact in facts.items():
        if fact:
            console.print(f"  {name:<10} {escape(fact)}")
