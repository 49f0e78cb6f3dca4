"""What a user may be told. Anything that is not an AppError is a bug and is reported as one."""

from __future__ import annotations

from app.engine.librarytypes import LibraryBackup


class AppError(Exception):
    """A failure a person can act on.

    Args:
        title: a few words for the head of a message box.
        message: a sentence that says what happened and what to do about it.
        path: the file or folder concerned, if there is one.
    """

    def __init__(self, title: str, message: str, path: str | None = None) -> None:
        super().__init__(title, message, path)
        self.title = title
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.title}: {self.message}" + (f" ({self.path})" if self.path else "")


class MediaUnreadable(AppError):
    """A file that cannot be decoded. ``passing``: the cause may be gone by the next time."""

    def __init__(self, title: str, message: str, path: str | None = None, passing: bool = False) -> None:
        super().__init__(title, message, path)
        self.args = (title, message, path, passing)  # what a process hands to another
        self.passing = passing


class UnsupportedModality(AppError):
    """An encoder was asked for a kind of query it cannot encode."""


class NothingToCompare(UnsupportedModality):
    """Nothing in the library can be compared with a query, which indexing may change."""


class NotIndexed(AppError):
    """Nothing of what an import names is in the library."""


class CatalogueDamaged(AppError):
    """The list of models that ships with the program cannot be read."""


class WeightsMissing(AppError):
    """The weights of a model are not on this machine."""


class WeightsCorrupt(AppError):
    """A weights file does not fit the architecture, or cannot be read."""


class WeightsUnreadable(WeightsCorrupt):
    """No weights can be read from this file, whatever model they may be of."""


class DeviceExhausted(AppError):
    """No device has memory left for even one sample."""


class Restorable(AppError):
    """A library that cannot be opened, where a copy of it may lie beside it. ``backup``: the one that `restore` puts
    in its place; None where there is none."""

    def __init__(self, title: str, message: str, path: str | None = None, backup: LibraryBackup | None = None) -> None:
        super().__init__(title, message, path)
        self.args = (title, message, path, backup)  # what a process hands to another
        self.backup = backup


class LibraryTooNew(Restorable):
    """The library was made by a newer version of the program."""


class LibraryMissing(Restorable):
    """The library's database is not there, while copies of it are."""


class LibraryLocked(AppError):
    """Another running program has the library open."""


class LibraryDamaged(AppError):
    """The library's database cannot be read."""


class IndexStale(AppError):
    """An index file does not match the library. It is rebuilt; a user sees this only if that fails too."""


class IndexOutdated(IndexStale):
    """Another version of the program wrote the index file, which is no damage."""


class EngineDied(AppError):
    """The engine process ended before it answered."""
