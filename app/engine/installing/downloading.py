"""The process that fetches: the one place of this program that opens a connection, and the only thing it does.

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
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from app import __version__
from app.engine.encoders.folder import PART_SUFFIX
from app.engine.errors import AppError

TELL_EVERY_S = 0.1
NOT_FOUND, RANGE_NOT_SATISFIABLE = 404, 416

_QUIET = {
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP can be resumed, and needs no second protocol
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_VERBOSITY": "critical",
}
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_HEADERS = {"User-Agent": f"semblance/{__version__}", "Accept-Encoding": "identity"}
"""Compressed bytes have another length than the file, and cannot be resumed."""


@dataclass(frozen=True)
class Wanted:
    """A file to fetch as ``name``: ``path`` of a hub's repository at a revision, or else of a folder's ``url``.
    ``others`` are names that a repository may have it under instead. ``size_bytes`` is what it must have, where that is
    known beforehand."""

    name: str
    path: str
    repo: str = ""
    revision: str = ""
    url: str = ""
    others: tuple[str, ...] = ()
    size_bytes: int | None = None


@dataclass(frozen=True)
class Order:
    """What is fetched into ``folder``. ``endpoint`` is the address of the hub, or of a mirror of it. ``spare_bytes``
    stay free on the disk."""

    files: tuple[Wanted, ...]
    endpoint: str
    folder: Path
    spare_bytes: int = 0


@dataclass(frozen=True)
class Found:
    """A file as its server describes it. ``size_bytes`` is None where it does not say.

    ``version`` tells these bytes from all others: a hub's hash of them, or the address with a plain server's
    ``validator`` (a strong ETag, or the date of change); "" where there is nothing of the kind. ``checksum`` is the
    hub's: "sha256:<hex>" or "git-sha1:<hex>", else "".
    """

    name: str
    url: str
    size_bytes: int | None
    version: str = ""
    validator: str = ""
    checksum: str = ""
    repo: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Listing:
    """All files before the first is fetched. ``present_bytes`` of them are here since an earlier try."""

    files: tuple[Found, ...]
    present_bytes: int


@dataclass(frozen=True)
class Fetching:
    """How far it is: ``done_bytes`` of all files together, and the ``name`` of the one that is coming."""

    name: str
    done_bytes: int


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


def part_of(folder: Path, name: str) -> Path:
    """Where a file is gathered until it is whole and known to be right."""
    return folder / f"{name}{PART_SUFFIX}"


def state_of(part: Path) -> Path:
    """The note beside a part of which file it is. It stays until the file is in use: so a whole file can go back to
    being a part."""
    return part.with_name(f".{part.name}.json")


def drop_part(part: Path) -> None:
    part.unlink(missing_ok=True)
    state_of(part).unlink(missing_ok=True)


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
    found = _look_up(order)
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


def _look_up(order: Order) -> tuple[Found, ...]:
    """Ask for what is said of the files, at one commit of each repository."""
    commits: dict[str, str] = {}
    found = []
    for file in order.files:
        if file.repo:
            known = _ask_for_one(file, commits.get(file.repo, file.revision), order.endpoint)
            commits[file.repo] = known.commit or file.revision
        else:
            known = _ask_server(file)
        found.append(_sized(known, file))
    return tuple(found)


def _sized(found: Found, wanted: Wanted) -> Found:
    """``found`` with the size that the file must have.

    Raises:
        AppError: its server says that it has another.
    """
    if wanted.size_bytes is None or found.size_bytes == wanted.size_bytes:
        return found
    if found.size_bytes is None:
        return replace(found, size_bytes=wanted.size_bytes)
    raise AppError(
        "The source has another file",
        f"{found.url} has {found.size_bytes:,} bytes, and the file of this model has {wanted.size_bytes:,}. Try again "
        "later or from a mirror, or take in a pack.",
    )


def _ask_for_one(file: Wanted, revision: str, endpoint: str) -> Found:
    """Ask for a file by its name, and if the repository has none of that name, by its other ones."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return _ask_hub(file, revision, endpoint)
    except HfHubHTTPError as error:
        if error.response.status_code != NOT_FOUND:
            raise
        for name in file.others:
            with suppress(HfHubHTTPError):
                return _ask_hub(replace(file, name=name, path=name), revision, endpoint)
        raise


def _ask_hub(file: Wanted, revision: str, endpoint: str) -> Found:
    from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url

    def address(at: str) -> str:
        return hf_hub_url(file.repo, file.path, revision=at, endpoint=endpoint)

    meta = get_hf_file_metadata(address(revision), token=False, headers=_HEADERS, endpoint=endpoint)
    commit = meta.commit_hash or ""
    return Found(
        name=file.name,
        url=address(commit or revision),
        size_bytes=meta.size,
        version=meta.etag or "",
        checksum=_hub_checksum(meta.etag or ""),
        repo=file.repo,
        commit=commit,
    )


def _hub_checksum(etag: str) -> str:
    """A hub's ETag is the SHA-256 of a large file, and git's own SHA-1 of a small one."""
    kind = {64: "sha256", 40: "git-sha1"}.get(len(etag))
    return f"{kind}:{etag}" if kind and set(etag) <= set("0123456789abcdef") else ""


def _ask_server(file: Wanted) -> Found:
    from huggingface_hub import constants, get_session

    url = f"{file.url.rstrip('/')}/{file.path}"
    answer = get_session().head(url, headers=_HEADERS, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    if answer.status_code in (405, 501):  # it answers no HEAD, but may well give the file
        return Found(file.name, url, None)
    answer.raise_for_status()
    etag = answer.headers.get("ETag", "")
    size = answer.headers.get("Content-Length", "")
    validator = etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")
    version = f"{url} {validator}" if validator else ""
    return Found(file.name, url, int(size) if size.isdecimal() else None, version, validator)


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
    constants.DOWNLOAD_CHUNK_SIZE = None  # type: ignore[assignment]
    # To a changed file's If-Range a server answers with all of the new one. A hub's address does not change.
    headers = {**_HEADERS, "If-Range": file.validator} if file.validator else _HEADERS
    while True:
        had_bytes = out.tell()
        try:
            http_get(
                file.url,
                out,  # type: ignore[arg-type]
                resume_size=had_bytes,
                expected_size=file.size_bytes,
                headers=headers,
                tqdm_class=partial(_Bar, meter),  # type: ignore[arg-type]
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
