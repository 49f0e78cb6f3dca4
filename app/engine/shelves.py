"""The search index of each space of a library, and the thread that builds them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.engine.errors import AppError
from app.engine.index.shelf import Shelf
from app.engine.store.spaces import Spaces
from app.engine.types import Space


class Shelves:
    """The shelf of each space, made at first use, and the one thread that builds their graphs."""

    def __init__(self, spaces: Spaces, folder: Path, exact_up_to: int) -> None:
        self._spaces = spaces
        self._folder = folder
        self._exact_up_to = exact_up_to
        self._background = ThreadPoolExecutor(1, thread_name_prefix="index-builder")
        self._lock = threading.Lock()
        self._shelves: dict[Space, Shelf] = {}

    def __getitem__(self, space: Space) -> Shelf:
        with self._lock:
            if space not in self._shelves:
                self._shelves[space] = Shelf(self._spaces, space, self._folder, self._background, self._exact_up_to)
            return self._shelves[space]

    def forget(self, space: Space) -> None:
        """Delete what is kept of a space, in memory and on disk.

        Raises:
            AppError: its index file cannot be deleted.
        """
        try:
            self[space].delete()
        except OSError as error:
            raise AppError(
                "The search index could not be deleted",
                f"{error.strerror or error}. See that the library's folder can be written, then try again.",
                error.filename,
            ) from error
        with self._lock:
            del self._shelves[space]

    def renew(self) -> None:
        """Drop what is in memory: the library that it was read from was found damaged."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()
            self._shelves.clear()

    def close(self) -> None:
        """End the thread. What it had not finished is begun anew when the library is opened again."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()
        self._background.shutdown(cancel_futures=True)
