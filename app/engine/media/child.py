"""What a decoder process does to itself at its birth, so that no file and no death of its parent can do harm."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil

MEMORY_LIMIT_BYTES = 4 << 30
"""On top of what the process holds when it starts: a picture of the largest size accepted decodes in less."""

NICENESS = 10
"""A tenth of a core beside the encoder: enough that the time limit of a task means the task."""

_ORPHANED = 3


def begin(yielding: bool, limited: bool = True) -> None:
    """Run once in every new decoder process, before its first file. Raises nothing: the pool would give up.

    Args:
        yielding: whether it works only with what the encoder, the window and whatever else runs leave of the cores.
        limited: whether it may have no more than `MEMORY_LIMIT_BYTES`.
    """
    _silence()
    with suppress(Exception):  # without a limit, and at full priority, decoding still works
        if limited:
            _limit_memory()
        if yielding:
            psutil.Process().nice(psutil.IDLE_PRIORITY_CLASS if psutil.WINDOWS else NICENESS)
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()


def _silence() -> None:
    """C libraries write their complaints straight to the descriptors, where they would spoil the engine's output."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _limit_memory() -> None:
    """A file that wants more gets a MemoryError, and the machine stays usable. Linux alone enforces this limit."""
    if sys.platform != "linux":
        return
    import resource  # there is none on Windows

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit_bytes = pages * resource.getpagesize() + MEMORY_LIMIT_BYTES
    _, hard_bytes = resource.getrlimit(resource.RLIMIT_AS)
    if hard_bytes != resource.RLIM_INFINITY:
        limit_bytes = min(limit_bytes, hard_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, hard_bytes))


def _end_with_parent() -> None:
    """A parent that was killed stops no one; its end of a pipe closes, which is what the sentinel waits for."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(_ORPHANED)
