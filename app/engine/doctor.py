"""The façade of the check-up: what of this machine and of the program itself works, and how to mend what does not. No
library is opened, and nothing is left in the data home.

What is compiled is loaded in children first: a library that cannot be loaded, or that crashes then, is what a person
most needs to be told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from app.engine.checks import names, program
from app.engine.checks.expendable import Asked, Expendable
from app.engine.checks.telling import again, detail, problem
from app.engine.checktypes import CheckUp, Finding
from app.engine.jobs import NULL_JOB, Job
from app.paths import models_dir, resources_dir

PHASE = "Looking at this machine"
LOADING_LIMIT_S = 60.0
PLACES_LIMIT_S = 30.0
NETWORKS_LIMIT_S = 120.0
"""The first one imports torch, from a cold and slow disk at worst."""
POLL_S = 0.1


def check_up(home: Path, device: str = "auto", job: Job = NULL_JOB, resources: Path | None = None) -> CheckUp:
    """Look at everything. What fails, crashes or hangs is a finding; it takes some ten seconds.

    Args:
        home: the data home; it need not be there, and is not made.
        device: "auto", or the one that networks are to run on: "cpu", "cuda", "mps".
        job: tells what is being looked at.
        resources: what ships with the program, by default `resources_dir`.

    Raises:
        Cancelled: the job was cancelled.
    """
    folder = resources or resources_dir()
    with Expendable() as expendable:
        loading = _ask_decoders(expendable)
        asked = _ask(expendable, home, device, folder)
        job.begin(PHASE, total=_formats(folder) + len(asked) + len(_OWN))
        findings: list[Finding] = []
        for title, look in _OWN:
            findings.append(_own(title, look, folder))
            job.advance(note=title)
        for finding in _decoders(loading, folder, job):
            findings.append(finding)
            job.advance(note=finding.title)
        for check in asked:
            findings += _awaited(check, job)
            job.advance(note=check.title)
    return CheckUp(program.about(), program.system(), tuple(findings))


_OWN: tuple[tuple[str, Callable[[Path], Finding]], ...] = (
    ("The program's own files", program.resources),
    ("Memory", lambda _folder: program.memory()),
    ("Clock", lambda _folder: program.clock()),
)


def _own(title: str, look: Callable[[Path], Finding], folder: Path) -> Finding:
    try:
        return look(folder)
    except Exception as error:  # a machine may answer in ways that nobody thought of
        return problem(title.lower(), title, f"It could not be looked at ({detail(error)}).")


def _formats(folder: Path) -> int:
    """How many findings of decoders there will be."""
    try:
        return (folder / "checkup" / "checkup.toml").read_bytes().count(b"[[file]]") or 1
    except OSError:
        return 1


def _ask_decoders(expendable: Expendable) -> Asked:
    return expendable.ask(
        "decoders", "Decoders", "app.engine.checks.decoders:load", limit_s=LOADING_LIMIT_S, remedy=again()
    )


def _decoders(loading: Asked, folder: Path, job: Job) -> Iterator[Finding]:
    """Those of the decoders, where a child could load their libraries; else that it could not."""
    if failed := tuple(_awaited(loading, job)):
        yield from failed
        return
    from app.engine.checks import decoders
    from app.engine.media.pool import DecoderPool

    # At the priority of the rest: on a busy machine a decoder that yields would be taken for one that hangs.
    with DecoderPool(decoders.WORKERS, decoders.TIME_LIMIT_S, yielding=False) as pool:
        yield from decoders.check(folder / decoders.CHECKUP_DIR, pool, job)


def _ask(expendable: Expendable, home: Path, device: str, folder: Path) -> list[Asked]:
    """Everything else that runs in the child, in the order in which it is shown."""
    places = "Keep the data folder on a local disk that works."
    asked = [
        expendable.ask(
            "home", "Data folder", "app.engine.checks.places:look", home, limit_s=PLACES_LIMIT_S, remedy=places
        )
    ]

    def compute(key: str, title: str, check: str, *arguments: object) -> None:
        name = f"app.engine.checks.{check}"
        asked.append(expendable.ask(key, title, name, *arguments, limit_s=NETWORKS_LIMIT_S, remedy=again()))

    compute("index", "Search index", "graph:look", home)
    compute("processor", names.PROCESSOR, "networks:processor")
    compute("gpu", names.GRAPHICS, "networks:graphics", device)
    for name, title in names.titles():
        compute(f"encoder.{name}", title, "networks:family", name, folder)
    compute("models", names.MODELS_TITLE, "installed:look", models_dir(home), folder)
    return asked


def _awaited(check: Asked, job: Job) -> Iterator[Finding]:
    while not check.wait(POLL_S):
        job.check()
    yield from check.findings()
