"""Looking at the program from beside it while something is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

MIB = 1 << 20
SAMPLE_EVERY_S = 0.1


@contextmanager
def sampled(sample: Callable[[], None]) -> Iterator[None]:
    """Call ``sample`` from a thread of its own until the block ends, and at its start and its end."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_EVERY_S):
            sample()

    sample()
    thread = threading.Thread(target=watch, name="sampler")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sample()


def held_bytes() -> int:
    """What this process and its children hold in memory."""
    total = 0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:  # a child that has just ended
            continue
    return total
