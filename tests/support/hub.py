"""A server on this machine that speaks a model hub's protocol, serves plain files too, and fails as it is told to.

Only what it serves is made up; the requests, redirects, ranges and breaks are real.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE_BYTES = 1000
"""From here on a file is one of git-lfs, which the hub gives through its CDN."""
TRICKLE_BYTES = 512
ENDLESS_BYTES = 64 << 20
"""What a client that does not hang up gets."""


@dataclass
class Fault:
    """What happens to one answer. ``path``: the ending of the path it is kept for.

    ``cut_after``: the connection is closed after so many bytes of the body, ``reset`` hard. ``status`` alone answers,
    with ``error_code`` as the hub names its errors. ``trickle``: a few bytes at a time, each waited for by the server's
    `release`. ``silent``: no answer at all until the server ends. ``endless``: far more than the file, without
    a length.
    """

    path: str = ""
    cut_after: int | None = None
    reset: bool = False
    status: int = 0
    error_code: str = ""
    trickle: bool = False
    silent: bool = False
    ignore_range: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    status: int
    first_byte: int
    sent_bytes: int


@dataclass
class Repository:
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        content = b"".join(name.encode() + data for name, data in sorted(self.files.items()))
        return hashlib.sha1(content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or is killed, is what the tests are about."""


class Hub:
    """``repositories`` by name; ``plain`` files by path. ``faults`` strike one fitting GET of content each, ``always``
    every request. ``validators``: plain files have an ETag; ``answers_head``: the server knows HEAD. ``tampered``: what
    is sent instead of a file, by its name or path, while all that is said of it stays.

    ``begun`` is set by the first bytes of a trickle, each of which then waits for a `release`."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.history: dict[tuple[str, str], dict[str, bytes]] = {}
        self.plain: dict[str, bytes] = {}
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.validators = True
        self.answers_head = True
        self.tampered: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.release = threading.Semaphore(0)
        self.begun = threading.Event()
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self}))
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def put(self, repo: str, files: Mapping[str, bytes]) -> str:
        """Commit files; the commit's name."""
        repository = self.repositories.setdefault(repo, Repository())
        repository.files = {**repository.files, **files}
        self.history[repo, repository.commit] = dict(repository.files)
        return repository.commit

    def gets(self, ending: str = "") -> list[Request]:
        """The GETs that were answered with content of files, in their order; not those that trickled."""
        return [
            request
            for request in self.requests
            if request.method == "GET" and request.status in (200, 206) and request.path.endswith(ending)
        ]

    def vanish(self) -> None:
        """No connection is accepted any more."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def at(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit that a revision means, and its files."""
        repository = self.repositories.get(repo)
        commit = repository.commit if repository and revision == "main" else revision
        files = self.history.get((repo, commit))
        return None if files is None else (commit, files)


@contextmanager
def running() -> Iterator[Hub]:
    hub = Hub()
    try:
        yield hub
    finally:
        if not hub.ended.is_set():
            hub.vanish()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def _answer(self, head: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        always = self.hub.always
        if always and path.endswith(always.path):
            if always.silent:
                self.hub.begun.set()
                self.hub.ended.wait()
                return
            if always.status:
                self._refuse(always.status, always.error_code)
                return
        if "/resolve/" in path:
            self._resolve(path, head)
        elif path.startswith("/cdn/"):
            self._cdn(path, head)
        elif path.startswith("/api/resolve-cache/models/"):
            repo, commit, name = self._parts(path.removeprefix("/api/resolve-cache/models/"))
            self._small(repo, commit, name, head)
        else:
            self._plain(path, head)

    def _resolve(self, path: str, head: bool) -> None:
        """A hub answers for a large file itself, and sends to its CDN; for a small one to another of its paths."""
        repo, _, rest = path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        if repo not in self.hub.repositories:
            self._refuse(401, "RepoNotFound")
            return
        at = self.hub.at(repo, revision)
        if at is None or name not in at[1]:
            self._refuse(404, "RevisionNotFound" if at is None else "EntryNotFound")
            return
        commit, files = at
        data = files[name]
        if len(data) < LARGE_BYTES:
            self._redirect(f"/api/resolve-cache/models/{repo}/{commit}/{name}", {"X-Repo-Commit": commit}, 307)
            return
        linked = {"X-Repo-Commit": commit, "X-Linked-ETag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
        self._redirect(f"http://localhost:{self.hub.port}/cdn/{repo}/{sha256(data)}/{name}", linked, 302)

    def _parts(self, path: str) -> tuple[str, str, str]:
        owner, repo, commit, name = path.split("/", 3)
        return f"{owner}/{repo}", commit, name

    def _small(self, repo: str, commit: str, name: str, head: bool) -> None:
        data = self.hub.history[repo, commit][name]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(data)}"'}
        self._give(self.hub.tampered.get(name, data), headers, head)

    def _cdn(self, path: str, head: bool) -> None:
        repo, digest, name = self._parts(path.removeprefix("/cdn/"))
        found = [
            files[name]
            for (of, _), files in self.hub.history.items()
            if of == repo and name in files and sha256(files[name]) == digest
        ]
        data = found[0]
        self._give(self.hub.tampered.get(name, data), {"ETag": f'"cdn-{digest[:8]}"'}, head)

    def _plain(self, path: str, head: bool) -> None:
        if head and not self.hub.answers_head:
            self._refuse(405)
        elif path not in self.hub.plain:
            self._refuse(404)
        else:
            data = self.hub.plain[path]
            validators = {"ETag": f'"{sha256(data)[:16]}"'} if self.hub.validators else {}
            self._give(self.hub.tampered.get(path, data), validators, head)

    def _give(self, data: bytes, headers: Mapping[str, str], head: bool) -> None:
        fault = Fault() if head else self._fault()
        if fault.status:
            self._refuse(fault.status)
            return
        if fault.endless:
            self._flood()
            return
        first_byte = self._first_byte(headers) if not fault.ignore_range else 0
        if first_byte and first_byte >= len(data):
            self._refuse(416)
            return
        body = data[first_byte:]
        self.send_response(206 if first_byte else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        if first_byte:
            self.send_header("Content-Range", f"bytes {first_byte}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(body, fault, head, 206 if first_byte else 200, first_byte)

    def _flood(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(ENDLESS_BYTES >> 20):
            self.wfile.write(b"100000\r\n%b\r\n" % bytes(1 << 20))
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, body: bytes, fault: Fault, head: bool, status: int, first_byte: int) -> None:
        sent = b"" if head else body if fault.cut_after is None else body[: fault.cut_after]
        if head or not fault.trickle:
            # Noted first: who has read the last byte may ask at once what was sent.
            self._note(status, first_byte, len(sent))
            self.wfile.write(sent)
            self.wfile.flush()
        else:
            self._trickle(sent)
        if fault.cut_after is not None:
            self._hang_up(fault.reset)

    def _trickle(self, sent: bytes) -> None:
        for begin in range(0, len(sent), TRICKLE_BYTES):
            self.wfile.write(sent[begin : begin + TRICKLE_BYTES])
            self.wfile.flush()
            self.hub.begun.set()
            while not self.hub.release.acquire(timeout=0.05):
                if self.hub.ended.is_set():
                    return

    def _hang_up(self, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()
        self.close_connection = True

    def _fault(self) -> Fault:
        for fault in self.hub.faults:
            if urlsplit(self.path).path.endswith(fault.path):
                self.hub.faults.remove(fault)
                return fault
        return Fault()

    def _first_byte(self, headers: Mapping[str, str]) -> int:
        asked = self.headers.get("Range", "")
        unchanged_if = self.headers.get("If-Range")
        if not asked or (unchanged_if and unchanged_if != headers.get("ETag")):
            return 0
        return int(asked.removeprefix("bytes=").partition("-")[0])

    def _redirect(self, to: str, headers: Mapping[str, str], status: int) -> None:
        self.send_response(status)
        for name, value in {**headers, "Location": to, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()
        self._note(status, 0, 0)

    def _refuse(self, status: int, error_code: str = "") -> None:
        self.send_response(status)
        if error_code:
            self.send_header("X-Error-Code", error_code)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self._note(status, 0, 0)

    def _note(self, status: int, first_byte: int, sent_bytes: int) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(
            Request(self.command, path, dict(self.headers.items()), status, first_byte, sent_bytes)
        )
