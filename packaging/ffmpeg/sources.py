"""The released sources that the wheel is made of, each known by its SHA-256, whatever its file is called."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One release of one project, as its makers packed it."""

    name: str
    version: str
    sha256: str
    url: str
    licence: str
    """The SPDX name, for the parts that are compiled here."""
    licence_files: tuple[str, ...]


SOURCES = (
    Source(
        "lame",
        "3.100",
        "ddfe36cab873794038ae2c1210557ad34857a4b6bdc515785d1da9e175b1da1e",
        "https://downloads.sourceforge.net/project/lame/lame/3.100/lame-3.100.tar.gz",
        "LGPL-2.0-or-later",
        ("COPYING", "LICENSE"),
    ),
    Source(
        "dav1d",
        "1.5.4",
        "686616b7c69eb88d44459391ab25cac13b6647a3b288835c5784e71c1514a5c5",
        "https://downloads.videolan.org/pub/videolan/dav1d/1.5.4/dav1d-1.5.4.tar.xz",
        "BSD-2-Clause",
        ("COPYING",),
    ),
    Source(
        "ffmpeg",
        "8.1.2",
        "464beb5e7bf0c311e68b45ae2f04e9cc2af88851abb4082231742a74d97b524c",
        "https://ffmpeg.org/releases/ffmpeg-8.1.2.tar.xz",
        "LGPL-2.1-or-later",
        ("COPYING.LGPLv2.1", "LICENSE.md"),
    ),
)


class SourceMissing(Exception):
    """A source is neither in the folder nor to be had, or is not what was recorded."""


def unpack(source: Source, folder: Path, into: Path) -> Path:
    """Unpack ``source`` from a file in ``folder``, downloaded first where none there is it; returns its own folder.

    Raises SourceMissing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = next((file for file in sorted(folder.glob("*.tar.*")) if _sha256(file) == source.sha256), None)
    shutil.rmtree(into, ignore_errors=True)
    with tarfile.open(archive or _download(source, folder)) as packed:
        packed.extractall(into, filter="data")
    (unpacked,) = into.iterdir()
    return unpacked


def _download(source: Source, folder: Path) -> Path:
    file = folder / source.url.rpartition("/")[2]
    try:
        with urllib.request.urlopen(source.url, timeout=60) as answer, file.open("wb") as written:
            shutil.copyfileobj(answer, written)
    except OSError as error:
        raise SourceMissing(
            f"{source.name} {source.version} could not be downloaded ({error}). Put {file.name} into {folder}."
        ) from error
    if _sha256(file) != source.sha256:
        raise SourceMissing(f"{file} is not the {source.name} {source.version} that was recorded. Delete it.")
    return file


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
