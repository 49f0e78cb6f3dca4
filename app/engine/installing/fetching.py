"""Downloads as their caller sees them: files in, progress and sentences out, in a process that can be ended at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from app.engine.errors import AppError
from app.engine.installing.downloading import serve
from app.engine.installing.orders import Fetching, Found, Listing, Order
from app.engine.jobs import NULL_JOB, Job

LOOK_UP_S = 0.1
"""How often a job is asked whether it was cancelled while nothing comes."""


def fetch(order: Order, allow: Callable[[Listing], None], job: Job = NULL_JOB) -> tuple[Found, ...]:
    """Fetch files to their `part_of` the order's folder, which exists; what is there of them is not fetched again.

    Args:
        order: what to fetch, and into which folder.
        allow: called with what the server says before the first byte is fetched; raises an AppError if it must not be.
        job: shows the bytes. Cancelling it ends the connection at once, and keeps what has arrived.

    Raises:
        AppError: the network, the server or the disk failed. What has arrived is kept.
        Cancelled: the job was cancelled.
    """
    job.begin("Asking the source")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, order), name="semblance-download", daemon=True)
    process.start()
    theirs.close()
    try:
        return _follow(ours, allow, job)
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _follow(connection: Connection, allow: Callable[[Listing], None], job: Job) -> tuple[Found, ...]:
    found: tuple[Found, ...] = ()
    while (message := _next(connection, job)) is not None:
        if isinstance(message, Listing):
            allow(message)
            found = message.files
            sizes = [file.size_bytes for file in found if file.size_bytes is not None]
            job.begin(
                "Downloading",
                sum(sizes) if len(sizes) == len(found) else None,
                done=message.present_bytes,
                in_bytes=True,
            )
        else:
            _count(message, job)
        connection.send(None)
    return found


def _count(message: Fetching, job: Job) -> None:
    more_bytes = message.done_bytes - job.progress.done
    if more_bytes < 0:  # the server gives the file from its beginning only
        job.begin("Downloading", job.progress.total, done=message.done_bytes, in_bytes=True)
    else:
        job.advance(more_bytes, note=message.name)


def _next(connection: Connection, job: Job) -> Any:
    """What the process tells next. Raises what it failed with."""
    while not connection.poll(LOOK_UP_S):
        job.check()
    try:
        message = connection.recv()
    except (EOFError, OSError) as error:
        raise AppError(
            "The download ended by itself", "Something ended its process. Try again: what has arrived is kept."
        ) from error
    if isinstance(message, Exception):
        raise message
    return message
