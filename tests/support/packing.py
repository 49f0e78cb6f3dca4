"""Packs for tests: a home to make them of, the look at what changed, and a forger of packs whose sums are right."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tinyclip

from app.engine.errors import AppError
from app.engine.installing import packfile
from app.engine.installing.packfile import PackedModel, write_pack
from app.engine.models import Models
from app.engine.modeltypes import Installation, InstalledFile, Pin

KEY, OTHER = "tiny-clip", "other-clip"
TOKENIZER = random.Random(0).randbytes(1500)
WEIGHTS = tinyclip.weights()


def fill(home: Path) -> Path:
    """Make a home with two models that a person has added; one has a further file."""
    (tinyclip.add(home / "models", KEY) / "tokenizer.json").write_bytes(TOKENIZER)
    tinyclip.add(home / "models", OTHER, seed=2)
    return home


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but locks and remembered hashes, which hold nothing of anybody's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name != ".sha256.json"
    }


def refused(home: Path, path: Path, **options: Any) -> AppError:
    """An import that must fail with a sentence and change nothing."""
    before = contents(home)
    with pytest.raises(AppError) as caught:
        Models(home).import_pack(str(path), **options)
    assert contents(home) == before
    assert caught.value.message.endswith(".")
    return caught.value


def forged(
    path: Path,
    files: Mapping[str, bytes] | None = None,
    key: str = KEY,
    entry: Mapping[str, Any] | None = None,
    pin: Pin = Pin.FIRST_USE,
) -> Path:
    """A pack whose sums are right, made by somebody who means harm."""
    files = files or {tinyclip.WEIGHTS: WEIGHTS}
    listed = tuple(
        InstalledFile(name, len(content), hashlib.sha256(content).hexdigest(), pin) for name, content in files.items()
    )
    model = PackedModel(key, Installation("", "", "", listed), entry)
    with path.open("wb") as file:
        write_pack(file, (model,), "", lambda _key, name: io.BytesIO(files[name]), lambda _bytes: None)
    return path


def with_manifest(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The same pack with another manifest, and the seal of that."""
    whole = path.read_bytes()
    with tarfile.open(path, "r:") as archive:
        member = archive.getmember("manifest.json")
        licences = archive.getmember("LICENCES.txt").offset
        table = json.loads(whole[member.offset_data :][: member.size])
    changed = change(table)
    manifest = changed if isinstance(changed, bytes) else json.dumps(changed or table).encode()
    seal = f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode()
    parts = [
        packfile._header(name, len(content)) + content + packfile._padding(len(content))
        for name, content in (("manifest.sha256", seal), ("manifest.json", manifest))
    ]
    path.write_bytes(b"".join(parts) + whole[licences:])
    return path
