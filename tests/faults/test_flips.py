"""A flipped bit in any file is noticed: what comes of it is a sentence or the truth, never a wrong result."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import faulty
import pytest
import safetensors.torch
import torch
import torchvision

from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.weights import Uninitialised
from app.engine.errors import AppError, LibraryDamaged, LibraryTooNew, WeightsCorrupt
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.store.database import storage_error

FLIPS = 60
"""Flipped bits of a database a test: half of them anywhere in the file, half where something is written."""


class Library:
    """A small library with judgments, and what can be seen of it."""

    def __init__(self, folder: Path) -> None:
        self.media = faulty.write_media(folder / "media", photos=30)
        self.whole = folder / "whole"
        self.home = folder / "home"
        with faulty.opened(self.whole) as session:
            faulty.index(session, self.media)
            faulty.judge_some(session, self.media)
            self.view = faulty.view(session, self.media, judged=True)

    def copy_with_flip(self, name: str, at: int, bit: int) -> Path:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.whole, self.home)
        path = faulty.library_dir(self.home) / name
        content = bytearray(path.read_bytes())
        content[at] ^= 1 << bit
        path.write_bytes(content)
        return self.home

    def flips(self, name: str, seed: int, count: int = FLIPS) -> list[tuple[int, int]]:
        content = (faulty.library_dir(self.whole) / name).read_bytes()
        written = [at for at, value in enumerate(content) if value]
        chance = random.Random(seed)
        places = [chance.randrange(len(content)) if turn % 2 else chance.choice(written) for turn in range(count)]
        return [(at, chance.randrange(8)) for at in places]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(tmp_path_factory.mktemp("flips"))


def look(session: Session, media: Path) -> dict[str, Any] | str:
    """What is seen, or the sentence that is said instead, as the window and the command line would show it."""
    try:
        return faulty.view(session, media, judged=True)
    except AppError as error:
        return error.message
    except sqlite3.Error as error:
        if told := storage_error(error):
            return told.message
        raise  # it would be taken for a fault of the program


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.lengthy) for seed in range(1, 6))])
def test_a_flip_in_the_database_is_told_or_harmless(library: Library, seed: int) -> None:
    noticed = 0
    for at, bit in library.flips("library.sqlite", seed):
        context = f"bit {bit} of byte {at}"
        home = library.copy_with_flip("library.sqlite", at, bit)
        try:
            with faulty.opened(home) as session:
                seen = look(session, library.media)
                report = session.verify()
                noticed += bool(report.sentences)
                assert report.sentences or seen == library.view, context
                if not report.broken:
                    faulty.index(session, library.media)
                    assert report.lost or look(session, library.media) == library.view, context
                    assert session.verify().sentences == (), context
                else:
                    with suppress(LibraryDamaged):  # it checks again, and what the first check mended may help
                        faulty.index(session, library.media)
        except (LibraryDamaged, LibraryTooNew):
            noticed += 1
    assert noticed > FLIPS / 4


@pytest.mark.parametrize("name", ["space-1.hnsw", "space-1.json"])
@pytest.mark.parametrize("count", [10, pytest.param(60, marks=pytest.mark.lengthy)])
def test_a_flip_in_the_search_index_has_it_made_again(library: Library, name: str, count: int) -> None:
    for at, bit in library.flips(f"indexes/{name}", seed=7, count=count):
        home = library.copy_with_flip(f"indexes/{name}", at, bit)
        with faulty.opened(home) as session:
            assert session.verify().mended, f"bit {bit} of byte {at}"
            assert look(session, library.media) == library.view
        home = library.copy_with_flip(f"indexes/{name}", at, bit)
        with faulty.opened(home) as session:
            assert look(session, library.media) == library.view
            faulty.index(session, library.media)
        with faulty.opened(home) as session:
            assert session.verify().sentences == ()


def test_an_unharmed_library_is_found_so(library: Library) -> None:
    with faulty.opened(library.whole) as session:
        assert session.verify().sentences == ()
        assert look(session, library.media) == library.view


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_flip_in_a_weights_file_is_noticed_when_it_is_loaded(tmp_path: Path, ending: str) -> None:
    home, media = tmp_path / "home", faulty.write_media(tmp_path / "media", photos=2)
    weights = home / "models" / "resnet50" / f"resnet50.{ending}"
    weights.parent.mkdir(parents=True)
    with Uninitialised():
        state = {name: torch.zeros_like(tensor) for name, tensor in torchvision.models.resnet50().state_dict().items()}
    safetensors.torch.save_file(state, weights) if ending == "safetensors" else torch.save(state, weights)
    Catalogue(home / "models").fingerprint("resnet50")  # as any look at a library's status asks for
    whole, stat = weights.read_bytes(), weights.stat()
    chance = random.Random(ending)
    for _ in range(4):
        with weights.open("r+b") as file:
            at = chance.randrange(stat.st_size)
            file.seek(at)
            file.write(bytes([whole[at] ^ 1 << chance.randrange(8)]))
        os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        with pytest.raises(WeightsCorrupt, match="changed by itself"):
            Catalogue(home / "models").load("resnet50")
    with Session.open(home, device="cpu") as session:
        report = session.index(IndexRequest((str(media),)))
    assert any(note.startswith("resnet50 was left out") for note in report.notes)
    assert report.spaces["colour-texture"].items == 2
