"""Progress on a terminal: a bar that is drawn only where someone is looking."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from app.engine.jobs import Job, Progress

BYTES_PER_MB = 1_000_000


@contextlib.contextmanager
def watched(says_phases: bool = False) -> Iterator[Job]:
    """A job that shows itself on standard error, once it has something to show, and is cancelled by Ctrl+C, so that it
    ends between two steps.

    Args:
        says_phases: on what is no terminal, where no bar is drawn, each phase is a line.
    """
    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("", total=None, note="", count="")
    told: set[str] = set()

    def show(progress: Progress) -> None:
        if says_phases and not console.is_terminal and progress.phase not in told:
            told.add(progress.phase)
            console.print(f"{progress.phase}…", highlight=False, markup=False)
        bar.start()
        bar.update(
            task,
            description=progress.phase,
            completed=progress.done,
            total=progress.total,
            note=progress.note[-40:],
            count=_count(progress),
        )

    job = Job(show)
    try:
        # A step may have to be ended first.
        with cancelled_by_interrupt(job, lambda: bar.update(task, description="Stopping")):
            yield job
    finally:
        bar.stop()


@contextlib.contextmanager
def cancelled_by_interrupt(job: Job, tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """In the block, Ctrl+C cancels the job, so that it ends between two steps."""

    def stop(*_: object) -> None:
        job.cancel()
        tell()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _count(progress: Progress) -> str:
    if not progress.in_bytes:
        return f"{progress.done}/{'?' if progress.total is None else progress.total}"
    total = "?" if progress.total is None else f"{progress.total / BYTES_PER_MB:,.1f}"
    rate = f", {progress.rate_per_s / BYTES_PER_MB:,.1f} MB/s" if progress.rate_per_s else ""
    return f"{progress.done / BYTES_PER_MB:,.1f}/{total} MB{rate}"


@contextlib.contextmanager
def noted() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being done, where someone is looking."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("") as line:
        yield line.update
