"""The process that fetches, and does nothing else: with `servers`, the one place that opens a connection.

The process that asks stays offline (see `app.engine.encoders`) and never imports `huggingface_hub` through this module:
whatever belongs to the network is imported by `serve`, once it has set the environment of its own process.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from app.engine.errors import AppError
from app.engine.installing.orders import Fetching, Found, Listing, Order, drop_part, part_of, state_of
from app.engine.installing.servers import HEADERS, look_up

TELL_EVERY_S = 0.1
RANGE_NOT_SATISFIABLE = 416

_QUIET = {
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP can be resumed, and needs no second protocol
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_VERBOSITY": "critical",
}
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def serve(connection: Connection, order: Order) -> None:
    """Tell a `Listing`, fetch, and tell `Fetching` meanwhile; None at the end, or the exception that ended it.

    Each telling waits for an answer: so the other end can think, and pause. With it this process ends too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that asked, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(_QUIET, HF_HOME=str(order.folder.parent / ".hub"), HF_ENDPOINT=order.endpoint)
    for name in _OFFLINE:
        os.environ.pop(name, None)
    try:
        _fetch(order, partial(_tell, connection))
        connection.send(None)
    except AppError as error:
        connection.send(error)
    except Exception as error:
        from app.engine.installing.failures import told

        connection.send(told(error, order.folder) or RuntimeError(traceback.format_exc()))


def _tell(connection: Connection, message: Listing | Fetching) -> None:
    connection.send(message)
    connection.recv()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _fetch(order: Order, tell: Callable[[Listing | Fetching], None]) -> None:
    _check_proxies()
    found = look_up(order)
    here = {file.name: _present_bytes(file, part_of(order.folder, file.name)) for file in found}
    tell(Listing(found, sum(here.values())))
    meter = _Meter(tell)
    for file in found:
        part = part_of(order.folder, file.name)
        meter.begin(file.name, sum(here.values()) - here[file.name])
        _download(file, part, order.spare_bytes, meter)
        here[file.name] = part.stat().st_size


def _check_proxies() -> None:
    """Raises AppError for a proxy of the environment that is no address, which would be taken for the source's."""
    import httpx2

    try:
        httpx2.Client().close()
    except (ValueError, httpx2.InvalidURL) as error:
        raise AppError(
            "This is no address of a proxy",
            f"HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY holds what is none. Put it right, or unset it. ({error})",
        ) from error


def _present_bytes(file: Found, part: Path) -> int:
    """How much of exactly this file is here; what is of another one, or may be, is deleted."""
    with suppress(OSError, ValueError):
        if file.version and json.loads(state_of(part).read_text("utf-8")) == _state(file):
            size_bytes = part.stat().st_size
            if file.size_bytes is not None and size_bytes <= file.size_bytes:
                return size_bytes
    drop_part(part)
    return 0


def _state(file: Found) -> dict[str, Any]:
    return {"version": file.version, "size_bytes": file.size_bytes}


def _download(file: Found, part: Path, spare_bytes: int, meter: _Meter) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    state_of(part).write_text(json.dumps(_state(file)), "utf-8")
    try:
        with part.open("ab") as out:
            _get(file, _Bounded(out, file.size_bytes, spare_bytes), meter)
    except HfHubHTTPError as error:
        if error.response.status_code != RANGE_NOT_SATISFIABLE:
            raise
    except OSError as error:
        if error.errno is not None or type(error) is not OSError:
            raise
    else:
        return
    drop_part(part)
    raise AppError(
        "The file changed while it was fetched",
        f"{file.url} is not as long any more as its server said before. Try again: it begins anew.",
    )


def _get(file: Found, out: _Bounded, meter: _Meter) -> None:
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get

    # Bytes are written as they come, so that a break loses none.
    constants.DOWNLOAD_CHUNK_SIZE = None  # type: ignore[assignment]  # httpx takes it, though the hub says int
    # To a changed file's If-Range a server answers with all of the new one. A hub's address does not change.
    headers = {**HEADERS, "If-Range": file.validator} if file.validator else HEADERS
    while True:
        had_bytes = out.tell()
        try:
            http_get(
                file.url,
                out,  # type: ignore[arg-type]  # of a file it uses what `_Bounded` has
                resume_size=had_bytes,
                expected_size=file.size_bytes,
                headers=headers,
                tqdm_class=partial(_Bar, meter),  # type: ignore[arg-type]  # and of a bar what `_Bar` has
            )
            return
        except httpx2.ReadError:  # the connection was reset; `http_get` itself goes on after all other breaks
            if out.tell() <= had_bytes:
                raise


class _Bounded:
    """A file that takes no more than it is to have, whatever a server sends; where that is not known, no more than
    leaves ``spare_bytes`` of the disk free."""

    def __init__(self, file: BinaryIO, size_bytes: int | None, spare_bytes: int) -> None:
        self._file = file
        self._size_bytes, self._most_bytes = size_bytes, size_bytes or 0
        if size_bytes is None:
            self._most_bytes = file.tell() + shutil.disk_usage(file.name).free - spare_bytes
        self.tell, self.seek, self.truncate = file.tell, file.seek, file.truncate

    def write(self, block: bytes) -> None:
        """Raises OSError: of a full disk, or without a number for what is too long."""
        if self._file.tell() + len(block) > self._most_bytes:
            if self._size_bytes is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)
            raise OSError("more than the file should have")
        self._file.write(block)


class _Meter:
    """Tells of the bytes of one file after another, now and then."""

    def __init__(self, tell: Callable[[Fetching], None]) -> None:
        self._tell = tell
        self._name, self._others_bytes, self._told_s = "", 0, 0.0

    def begin(self, name: str, others_bytes: int) -> None:
        """``others_bytes`` of other files are here."""
        self._name, self._others_bytes = name, others_bytes

    def count(self, file_bytes: int) -> None:
        """``file_bytes`` of this file are here."""
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self._tell(Fetching(self._name, self._others_bytes + file_bytes))


class _Bar:
    """What `http_get` takes for a bar of tqdm."""

    def __init__(self, meter: _Meter, initial: int = 0, **_look: Any) -> None:
        self._meter = meter
        self._file_bytes = initial

    def update(self, more_bytes: int) -> None:
        self._file_bytes += more_bytes
        self._meter.count(self._file_bytes)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
