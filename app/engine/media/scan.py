"""Find the media files below a folder, without opening any but those whose ending has two meanings.

A walk lists one folder after another. Each listing has a digest of its names, sizes and times: where it is the one
that was seen before, nothing more is to be done for the folder. Paths are the bytes the operating system gave, so that
a name in no valid encoding can be indexed too.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import marshal
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize

from app.engine.types import MediaKind

_ENDINGS = {
    MediaKind.PHOTO: "apng avif avifs bmp dds dib gif heic heics heif heifs hif icns ico j2c j2k jfif jp2 jpc jpe jpeg "
    "jpf jpg jpx mpo pbm pcx pgm png pnm ppm psd qoi sgi tga tif tiff webp",
    MediaKind.VIDEO: "3g2 3gp 3gpp asf avi divx dv f4v flv m1v m2t m2ts m2v m4v mkv mov mp4 mpe mpeg mpg mts mxf ogm "
    "ogv qt rm rmvb ts vob webm wmv",
    MediaKind.AUDIO: "aac ac3 aif aifc aiff amr ape au caf dts eac3 flac m4a m4b mka mp2 mp3 oga ogg ogx opus snd spx "
    "tta voc w64 wav weba wma wv",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}

# What operating systems and network drives strew about; none of it is the user's own (names in lower case).
_JUNK = frozenset(
    {b"thumbs.db", b"ehthumbs.db", b"desktop.ini", b"__macosx", b"@eadir", b"#recycle", b"$recycle.bin"}
    | {b"system volume information", b"lost+found"}
)

# These endings belong to MPEG transport streams and to TypeScript. A transport stream has this byte at the start of
# every packet (ISO/IEC 13818-1, 2.4.3.2), four bytes later in the camcorders' form with a time stamp before it.
_AMBIGUOUS_ENDINGS = frozenset({"ts", "mts"})
_SYNC_BYTE = 0x47

_SEPARATOR = os.fsencode(os.sep)
_UNREADABLE = "The file cannot be looked at. Check its permissions and its drive, then index again."

MODE_UNKNOWN = 0
"""Stands for the mode of what could not be looked at."""

DIGEST_BYTES = 16
LARGEST_INTEGER = 2**63 - 1
"""Of SQLite; some file systems have larger inodes, and what is left of them tells files apart as well."""

Entry = tuple[bytes, int, int, int, int]
"""A name, and of what is no folder: bytes, nanoseconds of the last change since 1970 UTC, inode, mode."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A media file as it lies on the disk. ``mtime_ns`` is the time of its last change, since 1970 UTC; ``inode`` is
    0 where the system has none."""

    path: bytes
    size_bytes: int
    mtime_ns: int
    inode: int = 0


@dataclass(frozen=True)
class Rules:
    """What a walk passes over in silence: the litter of operating systems always, hidden names (a leading dot) unless
    ``hidden``, and what an ``excluded`` pattern matches: a name or, where the pattern has a slash, a path below the
    root. Upper and lower case are one, and so are the two Unicode forms of an accented letter."""

    excluded: tuple[str, ...] = ()
    hidden: bool = False

    def passes_over(self, path: bytes, root: bytes) -> bool:
        """Whether the walk from ``root`` ignores the file or folder at ``path``, whose folder it looks into."""
        name = path[path.rfind(_SEPARATOR) + 1 :]
        if (name[:1] == b"." and not self.hidden) or name.lower() in _JUNK:
            return True
        if self._names and self._names.match(_text(name)):
            return True
        return bool(self._paths and self._paths.match(_text(os.path.relpath(path, root)).replace(os.sep, "/")))

    def key(self, root: bytes) -> bytes:
        """Stands for all that decides what a walk from ``root`` takes of a folder: another key, another digest."""
        deciding = (self.excluded, self.hidden, sorted(_KINDS), sorted(map(os.fsdecode, _JUNK)))
        place = os.fsdecode(root) if self._paths else ""
        return hashlib.blake2b(json.dumps([deciding, place]).encode(), digest_size=DIGEST_BYTES).digest()

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        return _any_of([pattern for pattern in self.excluded if "/" not in pattern])

    @cached_property
    def _paths(self) -> re.Pattern[str] | None:
        return _any_of([pattern.strip("/") for pattern in self.excluded if "/" in pattern])


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder as a walk met it. ``listed_ns`` is the time just before, since 1970 UTC."""

    path: bytes
    root: bytes
    digest: bytes
    entries: Sequence[Entry]
    listed_ns: int


Told = Callable[[bytes, str], None]
"""Is told the path of a file or folder and a sentence."""


def guess_kind(path: bytes) -> MediaKind | None:
    """What a file is by its ending alone; None where the ending is of no known medium.

    A container's streams may tell otherwise: decoding has the last word on video or sound.
    """
    return _KINDS.get(_ending(path))


def walk(folder: bytes, root: bytes, rules: Rules, on_failure: Told) -> Iterator[Listing]:
    """List ``folder`` and, in the order of their names, the folders below it.

    Links to folders are not followed, so there are no loops; links to files are.

    Args:
        root: the folder that the patterns of ``rules`` are relative to; ``folder`` or one above it.
        on_failure: told of a folder that could not be looked into.
    """
    key = rules.key(root)
    folders = [folder]  # an explicit stack: a tree may be deeper than the interpreter's recursion limit
    while folders:
        path = folders.pop()
        listed_ns = time.time_ns()
        try:
            entries, below = _list(path)
        except OSError as error:
            on_failure(path, _folder_sentence(error))
            continue
        digest = hashlib.blake2b(marshal.dumps(entries, 2), digest_size=DIGEST_BYTES, key=key).digest()
        yield Listing(path, root, digest, entries, listed_ns)
        folders += sorted((one for one in below if not rules.passes_over(one, root)), reverse=True)


def media_files(listing: Listing, rules: Rules, on_failure: Told, on_skipped: Told) -> list[FoundFile]:
    """The media files of one folder, in the order of their names.

    Args:
        on_failure: told of a file that could not be looked at.
        on_skipped: told of a file that is no medium.
    """
    found = []
    for name, size_bytes, mtime_ns, inode, mode in sorted(listing.entries):
        path = os.path.join(listing.path, name)
        if stat.S_ISDIR(mode) or rules.passes_over(path, listing.root):
            continue
        if (reason := _not_a_medium(path, mode)) is not None:
            on_skipped(path, reason)
        elif mode == MODE_UNKNOWN:
            on_failure(path, _file_sentence(path))
        elif (sniffed := _sniff(path)) is None:
            found.append(FoundFile(path, size_bytes, mtime_ns, inode & LARGEST_INTEGER))
        else:
            (on_failure if sniffed is _UNREADABLE else on_skipped)(path, sniffed)
    return found


def scan(folder: bytes, on_failure: Told, on_skipped: Told) -> Iterator[FoundFile]:
    """All media files at and below ``folder``, by the common rules."""
    rules = Rules()
    for listing in walk(folder, folder, rules, on_failure):
        yield from media_files(listing, rules, on_failure, on_skipped)


def device_of(folder: bytes) -> int:
    """The number of the file system that a folder is on, 0 if it is gone; it may be another after a restart."""
    try:
        return os.stat(folder).st_dev & LARGEST_INTEGER
    except OSError:
        return 0


def _list(folder: bytes) -> tuple[list[Entry], list[bytes]]:
    """What is in a folder, in the system's order, and the paths of the folders among it. Per file this is all that a
    walk through an unchanged tree does."""
    entries: list[Entry] = []
    below = []
    with os.scandir(folder) as found:
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    entries.append((entry.name, 0, 0, 0, stat.S_IFDIR))
                    if not _is_junction(entry):
                        below.append(entry.path)
                else:
                    status = entry.stat()
                    entries.append((entry.name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode))
            except OSError:
                entries.append((entry.name, 0, 0, 0, MODE_UNKNOWN))
    return entries, below


def _not_a_medium(path: bytes, mode: int) -> str | None:
    if guess_kind(path) is None:
        ending = _ending(path)
        named = f".{ending}" if ending else "no ending"
        return f"Not a photo, video or sound that Semblance reads ({named})"
    if mode != MODE_UNKNOWN and not stat.S_ISREG(mode):
        return "Not a file with contents, but a pipe, a socket or a device"
    return None


def _sniff(path: bytes) -> str | None:
    """Why a file is not what its ambiguous ending says, or None where it is."""
    ending = _ending(path)
    if ending not in _AMBIGUOUS_ENDINGS:
        return None
    try:
        with open(path, "rb") as file:
            head = file.read(5)
    except OSError:
        return _UNREADABLE
    return None if _SYNC_BYTE in (head[:1] + head[4:5]) else f"Not a video, though its name ends in .{ending}"


def _any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    expressions = [fnmatch.translate(normalize("NFC", pattern)) for pattern in patterns]
    return re.compile("|".join(expressions), re.IGNORECASE) if expressions else None


def _text(name: bytes) -> str:
    return normalize("NFC", os.fsdecode(name))


def _ending(path: bytes) -> str:
    stem, dot, ending = path[path.rfind(_SEPARATOR) + 1 :].rpartition(b".")
    return os.fsdecode(ending.lower()) if stem and dot else ""


def _is_junction(entry: os.DirEntry[bytes]) -> bool:
    # Windows' other kind of link to a folder; DirEntry knows it from Python 3.12 on.
    return bool(getattr(entry, "is_junction", bool)())


def _file_sentence(path: bytes) -> str:
    try:
        os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            return "The link leads to a file that is not there. Remove the link or bring the file back."
        return "The file is no longer there. Index its folder again to bring the library up to date."
    except OSError:
        pass
    return _UNREADABLE


def _folder_sentence(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "You are not allowed to look into this folder. Change its permissions, then index again."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "The folder is not there. Connect its drive or choose it again."
    return "The folder cannot be read. Check its drive, then index again."
