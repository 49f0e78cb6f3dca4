"""Find the media files below a folder, without opening any but those whose ending has two meanings.

Paths are the bytes the operating system gave, so that a name in no valid encoding can be indexed too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class FoundFile:
    """A media file as it lies on the disk. ``mtime_ns`` is the time of its last change, since 1970 UTC."""

    path: bytes
    size_bytes: int
    mtime_ns: int


def guess_kind(path: bytes) -> MediaKind | None:
    """What a file is by its ending alone; None where the ending is of no known medium.

    A container's streams may tell otherwise: decoding has the last word on video or sound.
    """
    return _KINDS.get(_ending(path))


def scan(
    root: bytes, on_failure: Callable[[bytes, str], None], on_skipped: Callable[[bytes, str], None]
) -> Iterator[FoundFile]:
    """Walk ``root``, a folder or a single file: each folder's files in the order of their names, then its folders.

    Hidden files and folders (a leading dot) and the litter of operating systems are passed over in silence. Links to
    folders are not followed, so there are no loops; links to files are.

    Args:
        on_failure: told (path, sentence) of a folder or file that could not be looked at.
        on_skipped: told (path, sentence) of a file that is no medium.
    """
    if not _path(root).is_dir():
        found = _look_at(root, on_failure, on_skipped)
        if found is not None:
            yield found
        return
    folders = [root]  # an explicit stack: a tree may be deeper than the interpreter's recursion limit
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                visible = sorted((entry for entry in entries if not _is_ignored(entry.name)), key=lambda e: e.name)
        except OSError as error:
            on_failure(folder, _folder_sentence(error))
            continue
        for entry in visible:
            if not _is_folder(entry):
                found = _look_at(entry.path, on_failure, on_skipped)
                if found is not None:
                    yield found
        folders.extend(e.path for e in reversed(visible) if _is_folder(e) and not _is_link(e))


def _look_at(
    path: bytes, on_failure: Callable[[bytes, str], None], on_skipped: Callable[[bytes, str], None]
) -> FoundFile | None:
    kind = guess_kind(path)
    if kind is None:
        ending = _ending(path)
        named = f".{ending}" if ending else "no ending"
        on_skipped(path, f"Not a photo, video or sound that Semblance reads ({named})")
        return None
    try:
        status = _path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            on_skipped(path, "Not a file with contents, but a pipe, a socket or a device")
            return None
        if _ending(path) in _AMBIGUOUS_ENDINGS and not _is_transport_stream(path):
            on_skipped(path, f"Not a video, though its name ends in .{_ending(path)}")
            return None
    except FileNotFoundError:
        if _path(path).is_symlink():
            on_failure(path, "The link leads to a file that is not there. Remove the link or bring the file back.")
        else:
            on_failure(path, "The file is no longer there. Index its folder again to bring the library up to date.")
        return None
    except OSError:
        on_failure(path, "The file cannot be looked at. Check its permissions and its drive, then index again.")
        return None
    return FoundFile(path, status.st_size, status.st_mtime_ns)


def _path(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _ending(path: bytes) -> str:
    return _path(path).suffix[1:].lower()


def _is_ignored(name: bytes) -> bool:
    return name.startswith(b".") or name.lower() in _JUNK


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    """A link to a folder counts as one, so that it is not taken for a file; one that cannot be looked at does not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_link(entry: os.DirEntry[bytes]) -> bool:
    # A junction is Windows' other kind of link to a folder; DirEntry knows it from Python 3.12 on.
    return entry.is_symlink() or bool(getattr(entry, "is_junction", bool)())


def _is_transport_stream(path: bytes) -> bool:
    with _path(path).open("rb") as file:
        head = file.read(5)
    return _SYNC_BYTE in (head[:1] + head[4:5])


def _folder_sentence(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "You are not allowed to look into this folder. Change its permissions, then index again."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "The folder is not there. Connect its drive or choose it again."
    return "The folder cannot be read. Check its drive, then index again."
