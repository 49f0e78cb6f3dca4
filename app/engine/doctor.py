"""The façade of the check-up: what of this machine and of the program itself works, and how to mend what does not. No
library is opened, and nothing is left in the data home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from app.engine.checks import decoders, installed, networks, places, program
from app.engine.checks.expendable import Asked, Check, Expendable
from app.engine.checks.telling import again, detail, problem
from app.engine.checktypes import CheckUp, Finding
from app.engine.jobs import NULL_JOB, Job
from app.engine.media.pool import DecoderPool
from app.paths import models_dir, resources_dir

PHASE = "Looking at this machine"
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
    with Expendable() as expendable, _pool() as pool:
        asked = _ask(expendable, home, device, folder)
        job.begin(PHASE, total=_count(folder) + len(asked) + len(_OWN))
        findings: list[Finding] = []
        for title, look in _OWN:
            findings.append(_own(title, look, folder))
            job.advance(note=title)
        for finding in decoders.check(folder / decoders.CHECKUP_DIR, pool, job):
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


def _pool() -> DecoderPool:
    # At the priority of the rest: on a busy machine a decoder that yields would be taken for one that hangs.
    return DecoderPool(decoders.WORKERS, decoders.TIME_LIMIT_S, yielding=False)


def _own(title: str, look: Callable[[Path], Finding], folder: Path) -> Finding:
    try:
        return look(folder)
    except Exception as error:  # a machine may answer in ways that nobody thought of
        return problem(title.lower(), title, f"It could not be looked at ({detail(error)}).")


def _count(folder: Path) -> int:
    try:
        return len(decoders.specimens(folder / decoders.CHECKUP_DIR)[1])
    except (OSError, ValueError, KeyError, TypeError):
        return 1


def _ask(expendable: Expendable, home: Path, device: str, folder: Path) -> list[Asked]:
    """Everything that runs in the child, in the order in which it is shown."""
    local = "Keep the data folder on a local disk that works."
    asked = [expendable.ask("home", "Data folder", places.look, home, limit_s=PLACES_LIMIT_S, remedy=local)]

    def compute(key: str, title: str, check: Check, *arguments: object, package: str) -> None:
        remedy = again(package)
        asked.append(expendable.ask(key, title, check, *arguments, limit_s=NETWORKS_LIMIT_S, remedy=remedy))

    compute("processor", networks.PROCESSOR, networks.processor, package="torch")
    compute("gpu", networks.GRAPHICS, networks.graphics, device, package="torch")
    for name, title in networks.titles():
        compute(f"encoder.{name}", title, networks.family, name, folder, package=networks.PACKAGES[name])
    compute(installed.KEY, installed.TITLE, installed.look, models_dir(home), package="semblance")
    return asked


def _awaited(check: Asked, job: Job) -> Iterator[Finding]:
    while not check.wait(POLL_S):
        job.check()
    yield from check.findings()
