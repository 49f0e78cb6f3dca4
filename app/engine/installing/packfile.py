"""The file of an offline pack: a plain tar, which this program reads only where it is what it would have written.

In this order: ``manifest.sha256`` (a line of `sha256sum`), ``manifest.json`` (every model's record, with the size and
the SHA-256 of each of its files), ``LICENCES.txt``, then ``models/<key>/<name>`` in the manifest's order. Any tar opens
it. Its reader trusts no header: it compares each with the one that the manifest asks for. So a link, a device, a
doubled or foreign name, a path that leads elsewhere, a header that lies about a size and a flipped byte anywhere are
one case, and no more is ever read or written than the manifest says, which is no more than the pack itself has.

Headers: ustar (POSIX.1-1988), and a size from 8 GiB on as GNU tar writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.engine.encoders.added import is_portable_name
from app.engine.encoders.record import RECORD_FILE, installation_from
from app.engine.errors import AppError
from app.engine.modeltypes import Installation, InstalledFile

SUFFIX = ".semblance-pack"
FORMAT = 1

LARGEST_MANIFEST_BYTES = 1 << 20
"""The record of a model takes about 1 KiB."""

_SEAL_NAME, _MANIFEST_NAME, _LICENCES_NAME = "manifest.sha256", "manifest.json", "LICENCES.txt"
_SEAL = "{}  " + _MANIFEST_NAME + "\n"
_BLOCK_BYTES = 512
_CHUNK_BYTES = 1 << 20
_END = bytes(2 * _BLOCK_BYTES)

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Member:
    """One file of a pack. ``name`` is its path in it."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class PackedModel:
    """One model of a pack: its record, and its entry's table where a person added it."""

    key: str
    installation: Installation
    entry: Mapping[str, Any] | None = None

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.installation.files)

    def member(self, file: InstalledFile) -> Member:
        return Member(f"models/{self.key}/{file.name}", file.size_bytes, file.sha256)


def write_pack(
    file: BinaryIO,
    models: tuple[PackedModel, ...],
    licences: str,
    open_file: Callable[[str, str], BinaryIO],
    on_written: Callable[[int], None],
) -> str:
    """Write a pack; returns its manifest's SHA-256.

    ``open_file`` gives a file by its model's key and its name; ``on_written`` is told how many bytes each part had.

    Raises:
        ContentDiffers: a file does not hold what its model's record says.
        OSError: reading or writing failed.
    """
    text = licences.encode()
    manifest = _manifest_bytes(models, _member_of(_LICENCES_NAME, text))
    seal = hashlib.sha256(manifest).hexdigest()
    for name, content in (
        (_SEAL_NAME, _SEAL.format(seal).encode()),
        (_MANIFEST_NAME, manifest),
        (_LICENCES_NAME, text),
    ):
        file.write(_header(name, len(content)) + content + _padding(len(content)))
    for model in models:
        for recorded in model.installation.files:
            member = model.member(recorded)
            file.write(_header(member.name, member.size_bytes))
            with open_file(model.key, recorded.name) as source:
                for chunk in _verified(source, member):
                    file.write(chunk)
                    on_written(len(chunk))
            file.write(_padding(member.size_bytes))
    file.write(_END)
    return seal


class PackReader:
    """A pack, read once from its beginning to its end.

    Args:
        file: at its beginning; it must know its length.
        path: what messages call it.

    Raises:
        AppError: this is no pack, or an incomplete one, or one of a newer version of the program.
        OSError: reading failed.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self.size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.sha256 = self._read_seal()
        manifest = self._read_manifest()
        try:
            table = json.loads(manifest)
            if not 1 <= int(table["format"]) <= FORMAT:
                raise _Newer
            self._licences = _member_from(_LICENCES_NAME, table["licences"])
            self.models = tuple(_model_from(model) for model in table["models"])
            _check_names(self.models)
        except _Newer:
            raise self._refused(
                "A newer version of this program made it. Update the program, then import it."
            ) from None
        # what is no manifest can fail anywhere; a number or a nesting beyond all bounds too
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise self._refused(f"Its list of files cannot be used ({error}). Export it again.") from error
        self._check_length(len(manifest))

    def contents(self) -> Iterator[tuple[PackedModel, InstalledFile, Iterator[bytes]]]:
        """Every file in its order, with its content in chunks of at most 1 MiB; each must be used up before the next.

        Raises:
            AppError: the pack is damaged; for a file's content this may be known only after its last chunk.
        """
        for _ in self._content(self._licences):
            pass
        for model in self.models:
            for file in model.installation.files:
                yield model, file, self._content(model.member(file))
        if self._file.read() != _END:
            raise self._damaged(self._path.name)

    def _content(self, member: Member) -> Iterator[bytes]:
        expected = _header(member.name, member.size_bytes)
        if self._file.read(len(expected)) != expected:
            raise self._damaged(member.name)
        try:
            yield from _verified(self._file, member)
        except ContentDiffers:
            raise self._damaged(member.name) from None
        padding = _padding(member.size_bytes)
        if self._file.read(len(padding)) != padding:
            raise self._damaged(member.name)

    def _read_seal(self) -> str:
        size_bytes = len(_SEAL.format("0" * 64))
        found = self._file.read(2 * _BLOCK_BYTES)
        sha256 = found[_BLOCK_BYTES:][:64].decode("ascii", "replace")
        seal = _SEAL.format(sha256).encode("ascii", "replace")
        if not _SHA256.fullmatch(sha256) or found != _header(_SEAL_NAME, size_bytes) + seal + _padding(size_bytes):
            raise self._refused("It is no pack of this program, or its beginning is damaged. Choose another file.")
        return sha256

    def _read_manifest(self) -> bytes:
        header = self._file.read(_BLOCK_BYTES)
        octal = header[124:135]
        size_bytes = int(octal, 8) if octal.isdigit() and not set(octal) & set(b"89") else 0
        if header != _header(_MANIFEST_NAME, size_bytes) or size_bytes > LARGEST_MANIFEST_BYTES:
            raise self._damaged(_MANIFEST_NAME)
        manifest = self._file.read(size_bytes)
        padding = _padding(size_bytes)
        if self._file.read(len(padding)) != padding or hashlib.sha256(manifest).hexdigest() != self.sha256:
            raise self._damaged(_MANIFEST_NAME)
        return manifest

    def _check_length(self, manifest_bytes: int) -> None:
        sizes = [len(_SEAL.format("0" * 64)), manifest_bytes, self._licences.size_bytes]
        sizes += [file.size_bytes for model in self.models for file in model.installation.files]
        expected = sum(_BLOCK_BYTES + size + len(_padding(size)) for size in sizes) + len(_END)
        if self.size_bytes != expected:
            raise self._refused(
                f"It should have {expected:,} bytes and has {self.size_bytes:,}: its copying was broken off. "
                "Copy it again."
            )

    def _damaged(self, name: str) -> AppError:
        return self._refused(f"It is damaged at {name}: that is not what was exported. Copy or export it again.")

    def _refused(self, message: str) -> AppError:
        return AppError("This pack cannot be used", message, str(self._path))


class ContentDiffers(Exception):
    """A file does not hold what is said of it."""


class _Newer(Exception):
    pass


def _verified(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """The next ``member.size_bytes`` of a file in chunks. Raises ContentDiffers after the last, or where it ends."""
    digest = hashlib.sha256()
    missing = member.size_bytes
    while missing and (chunk := file.read(min(missing, _CHUNK_BYTES))):
        digest.update(chunk)
        missing -= len(chunk)
        yield chunk
    if missing or digest.hexdigest() != member.sha256:
        raise ContentDiffers(member.name)


def _header(name: str, size_bytes: int) -> bytes:
    """A regular file of anybody's, readable by all, of no date: the same bytes for the same name and size."""
    prefix, _, base = name.rpartition("/")
    octal = size_bytes < 8**11
    fields = (
        base.encode().ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,
        b"%011o\0" % size_bytes if octal else b"\x80" + size_bytes.to_bytes(11, "big"),
        b"%011o\0" % 0,
        b" " * 8,  # the checksum counts as spaces
        b"0".ljust(101, b"\0"),
        b"ustar\x0000".ljust(88, b"\0"),
        prefix.encode().ljust(167, b"\0"),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % _BLOCK_BYTES)


def _member_of(name: str, content: bytes) -> Member:
    return Member(name, len(content), hashlib.sha256(content).hexdigest())


def _manifest_bytes(models: tuple[PackedModel, ...], licences: Member) -> bytes:
    table = {
        "format": FORMAT,
        "licences": {"size_bytes": licences.size_bytes, "sha256": licences.sha256},
        "models": [
            {"key": model.key, "installation": asdict(model.installation)}
            | ({"entry": model.entry} if model.entry is not None else {})
            for model in models
        ],
    }
    return json.dumps(table, indent=1).encode()


def _model_from(table: Mapping[str, Any]) -> PackedModel:
    model = PackedModel(str(table["key"]), installation_from(table["installation"]), table.get("entry"))
    for file in model.installation.files:
        _check_member(model.member(file))
    return model


def _member_from(name: str, table: Mapping[str, Any]) -> Member:
    member = Member(name, int(table["size_bytes"]), str(table["sha256"]))
    _check_member(member)
    return member


def _check_member(member: Member) -> None:
    if not 0 <= member.size_bytes < 2**63 or not _SHA256.fullmatch(member.sha256):
        raise ValueError(f"the size or the SHA-256 of {member.name!r}")


def _check_names(models: tuple[PackedModel, ...]) -> None:
    """Raises ValueError for names that mean another place, or the same place twice, on any system."""
    for model in models:
        names = [file.name for file in model.installation.files]
        for name in (model.key, *names):
            if not is_portable_name(name) or name.casefold() == RECORD_FILE:
                raise ValueError(f"the name {name!r}")
        _check_distinct(names)
    _check_distinct([model.key for model in models])


def _check_distinct(names: list[str]) -> None:
    if len({unicodedata.normalize("NFC", name).casefold() for name in names}) != len(names):
        raise ValueError("two names that some systems take for one")
