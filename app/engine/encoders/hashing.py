"""Checksums of files: what a model's makers, or a hub, say of its bytes, held against them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from app.engine.jobs import NULL_JOB, Job

BLOCK_BYTES = 1 << 20


def hashed(path: Path, checksum: str = "", job: Job = NULL_JOB) -> tuple[str, bool]:
    """The SHA-256 of a file in hexadecimal, and whether the file has the ``checksum``: "sha256:<hex>",
    "sha256-prefix:<hex>", "md5:<hex>", "git-sha1:<hex>" (as git names a file's content), or "", which every file has.

    Advances ``job`` by every byte read.

    Raises:
        ValueError: this is no checksum.
        Cancelled: the job was cancelled.
    """
    kind, _, expected = checksum.partition(":")
    sha256 = hashlib.sha256()
    other = _other(kind, path)
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            sha256.update(block)
            if other:
                other.update(block)
            job.advance(len(block))
    digest = sha256.hexdigest()
    if other:
        return digest, other.hexdigest() == expected.lower()
    return digest, digest.startswith(expected.lower()) if kind == "sha256-prefix" else expected.lower() in ("", digest)


def _other(kind: str, path: Path) -> Any:
    """The further hash that a kind of checksum needs: against damage and mistakes, not against forgery."""
    if kind in ("", "sha256", "sha256-prefix"):
        return None
    if kind == "md5":
        return hashlib.md5(usedforsecurity=False)
    if kind == "git-sha1":
        return hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    raise ValueError(f"no checksum: {kind!r}")
