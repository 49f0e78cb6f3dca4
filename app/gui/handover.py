"""One window for each data home: a second start hands what it was asked for to the window that is there.

Who holds the lock is the window. It listens at a local socket, which only programs of the same user may reach; nothing
of it is a network. Both lie in the user's own folder of the session, and are named by the data home.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.engine.errors import AppError

MESSAGE_MAX_BYTES = 1 << 20
"""Some ten thousand paths."""

TAKEN = b"taken\n"

ANSWER_S = 5.0
"""A window that listens and has not answered by then hangs."""

TURN_S = 15.0
"""As long may a window take from its lock to its socket as it opens, or from its socket to its lock as it closes."""

AGAIN_S = 0.05


@dataclass(frozen=True)
class Wish:
    """What a start asks of the window: ``files`` are absolute paths; ``library`` is None for the one that is open;
    ``activation`` is the desktop's leave to come to the front, where it gives any (Wayland)."""

    files: tuple[str, ...] = ()
    library: str | None = None
    activation: str = ""


def written(wish: Wish) -> bytes:
    """A wish as one line of JSON.

    Raises:
        AppError: it names more files than a window takes at once.
    """
    line = json.dumps(asdict(wish)).encode() + b"\n"
    if len(line) > MESSAGE_MAX_BYTES:
        raise AppError(
            "These are too many files", "Search by fewer of them at once, or add their folder to the library."
        )
    return line


def parsed(line: bytes) -> Wish | None:
    """The wish of a line; None where it is anything else."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.keys() != {"files", "library", "activation"}:
        return None
    files, library, activation = told["files"], told["library"], told["activation"]
    if not isinstance(files, list) or not all(map(_is_path, files)):
        return None
    if not isinstance(library, str | None) or not isinstance(activation, str) or "\0" in activation:
        return None
    return Wish(tuple(files), library, activation)


class Door(QObject):
    """The end of the window that is there. Signal: ``asked`` with each `Wish` that comes.

    Args:
        home: the data home.
        folder: where the lock and the socket lie; the user's own folder of the session.
    """

    asked = Signal(object)

    def __init__(self, home: Path, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = (folder or _session_folder()) / _name(home)
        self._lock = FileLock(f"{self._path}.lock", blocking=False)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        self._heard: dict[QLocalSocket, bytes] = {}

    def enter(self, wish: Wish) -> bool:
        """Become the window of this home (True), or hand the wish to the one that is there (False). Where no lock can
        be made the window is one of its own: the library's lock still guards the library.

        Raises:
            AppError: the window that is there does not answer.
        """
        until_s = time.monotonic() + TURN_S
        while True:
            if self._holds_lock():
                return True
            if _handed_over(self._address, wish):
                return False
            if time.monotonic() > until_s:
                raise _silent()
            time.sleep(AGAIN_S)

    def listen(self) -> None:
        """Hear of wishes from now on: the window is there. Where no socket can be made, another start has a window of
        its own."""
        if self._lock.is_locked:
            QLocalServer.removeServer(self._address)  # of a window that was killed: ours is the lock
            if not self._server.listen(self._address):  # a path too long for a socket: nobody is to wait for an answer
                self._lock.release()

    def shut(self) -> None:
        """Take no more wishes. Who comes now waits until `leave`, and is the next window."""
        self._server.close()

    def leave(self) -> None:
        self.shut()
        self._lock.release()

    @property
    def _address(self) -> str:
        """A path for a socket; on Windows the name of a pipe."""
        return self._path.name if sys.platform == "win32" else str(self._path)

    def _holds_lock(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError:  # there is no place for one
            pass
        return True

    def _connected(self) -> None:
        while socket := self._server.nextPendingConnection():
            self._heard[socket] = b""
            socket.readyRead.connect(self._read)
            socket.disconnected.connect(self._forget)
            self._hear(socket)

    def _read(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._hear(socket)

    def _forget(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._heard.pop(socket, None)
            socket.deleteLater()

    def _hear(self, socket: QLocalSocket) -> None:
        """Take in what has come; a whole line is a wish, and anything else is ignored."""
        if socket not in self._heard:
            return
        self._heard[socket] += bytes(socket.read(MESSAGE_MAX_BYTES + 1 - len(self._heard[socket])).data())
        line, end, _rest = self._heard[socket].partition(b"\n")
        if not end and len(line) <= MESSAGE_MAX_BYTES:
            return
        wish = parsed(line) if end else None
        if wish is None:
            socket.abort()
            return
        self._heard[socket] = b""
        socket.write(TAKEN)
        socket.flush()
        self.asked.emit(wish)


def _handed_over(address: str, wish: Wish) -> bool:
    """Whether a window took the wish; False where none listens.

    Raises:
        AppError: one listens and does not answer.
    """
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(int(ANSWER_S * 1000)):
        return False
    _let_it_come_forward()
    socket.write(written(wish))
    until_s = time.monotonic() + ANSWER_S
    while not socket.canReadLine():
        left_ms = int((until_s - time.monotonic()) * 1000)
        if left_ms <= 0 or not socket.waitForReadyRead(left_ms):
            if socket.state() is QLocalSocket.LocalSocketState.ConnectedState:
                raise _silent()
            return False  # it has just closed
    return bytes(socket.readLine().data()) == TAKEN


def _let_it_come_forward() -> None:
    """Windows lets only the program that has the keyboard say who may come to the front."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)


def _silent() -> AppError:
    return AppError(
        "Semblance is open already, but does not answer",
        "It may be busy: wait a moment and start it again. If it stays so, end it with your system's own means; what "
        "was indexed is kept.",
    )


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and os.path.isabs(value)  # noqa: PTH117 - values of strangers


def _name(home: Path) -> str:
    """A short name, for a socket's path has some hundred letters at most."""
    place = os.path.normcase(os.path.realpath(home))
    user = os.environ.get("USERNAME", "") if sys.platform == "win32" else ""  # pipes have no folder of the user's own
    known_by = hashlib.sha256(f"{user}\0{place}".encode(errors="surrogateescape")).hexdigest()
    return f"semblance-{known_by[:16]}"


def _session_folder() -> Path:
    """The user's own folder for what lasts as long as a session; of Linux's Qt sees to it that nobody else may write
    there, and where there is no such folder, the path that is returned can be none."""
    kind = QStandardPaths.StandardLocation
    location = kind.RuntimeLocation if sys.platform == "linux" else kind.TempLocation
    return Path(QStandardPaths.writableLocation(location) or os.devnull)
