"""Takes the figures one asked for, one after another, and says on what machine and under what load."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from app.bench.figure import Figure, Measure, NothingToMeasure, Workbench
from app.engine.errors import AppError

BYTES_PER_GIB = 1 << 30


@dataclass(frozen=True)
class BenchReport:
    """``load`` is the mean number of processes that wanted a core in the last minute, before and after; a machine at
    rest has none but this one. ``left_out`` says which measurements found nothing in the user's folder, or on this
    machine."""

    machine: str
    load: tuple[float, float]
    figures: tuple[Figure, ...]
    left_out: tuple[str, ...] = ()


def measures() -> dict[str, Measure]:
    """Every measurement by name, in the order in which they are taken."""
    from app.bench import encoding, evaluation, index, load, pipeline, queries, recomputing, scanning, streams, window

    modules = pipeline, encoding, streams, scanning, index, queries, window, load, recomputing, evaluation
    return {name: measure for module in modules for name, measure in module.MEASURES.items()}


def bench(
    only: Sequence[str],
    folder: Path | None,
    home: Path | None,
    scale: float,
    runs: int,
    note: Callable[[str], None] = lambda _text: None,
) -> BenchReport:
    """Take the figures named in ``only``, or all that the folder has something for.

    Args:
        only: names of measurements.
        folder: a folder of the user's to measure on, where a measurement can; else files are made.
        home: the data home whose models are measured by "models".
        scale: 1.0 are the full sizes.
        runs: how often both sides of each ratio are timed, in turns.
        note: told what is being measured.

    Raises:
        NothingToMeasure: one that was named finds nothing in the folder, or on this machine.
        AppError: there is no measurement of that name, or no room for what it makes.
    """
    known = measures()
    if unknown := [name for name in only if name not in known]:
        raise AppError("No such measurement", f"There is no “{unknown[0]}”. Choose from: {', '.join(known)}.")
    load_before = _load()
    base = Workbench(Path(), folder, _reference(), scale, runs, note, home)
    figures: list[Figure] = []
    left_out: list[str] = []
    for name in dict.fromkeys(only or known):
        try:
            figures += _taken(base, known[name])
        except NothingToMeasure as nothing:
            if only:
                raise
            left_out.append(f"{name}: {nothing.message}")
    return BenchReport(_machine(), (load_before, _load()), tuple(figures), tuple(left_out))


def document(report: BenchReport) -> dict[str, Any]:
    """The report as plain values for JSON."""
    figures = [
        {
            "name": each.name,
            "ratio": round(each.ratio, 4),
            "target": str(each.target),
            "met": each.met,
            "runs": each.runs,
            "spread": round(each.spread, 4),
            "limited_by": each.limited_by,
            "details": {name: round(value, 3) for name, value in each.details.items()},
        }
        for each in report.figures
    ]
    return {
        "machine": report.machine,
        "load": [round(value, 2) for value in report.load],
        "figures": figures,
        "left_out": list(report.left_out),
    }


def _taken(base: Workbench, measure: Measure) -> Sequence[Figure]:
    scratch = Path(tempfile.mkdtemp(prefix="semblance-bench-"))
    try:
        return measure(replace(base, scratch=scratch))
    except OSError as error:
        room = f" It needs some gigabytes of room in {scratch.parent}." if error.errno == errno.ENOSPC else ""
        message = f"{error.strerror or error}.{room}"
        raise AppError("The measurement could not be taken", message, _named(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _named(error: OSError) -> str | None:
    return os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None


def _reference() -> Path | None:
    """The project's reference data, which lies beside a developer's checkout and nowhere else."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if folder.is_dir() else None


def _machine() -> str:
    memory_gib = psutil.virtual_memory().total / BYTES_PER_GIB
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {memory_gib:.0f} GiB, {_accelerator()}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _accelerator() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def _load() -> float:
    return float(psutil.getloadavg()[0])
