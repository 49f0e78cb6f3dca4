"""Whatever happens to a tree between two looks at it, the library holds what is there and encodes nothing twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PIL import Image

from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import ItemKind, Query, SearchRequest

MODELS = ("colour-texture",)
FOLDERS = ("", "one", "two", "two/deep")
NAMES = ("a.png", "b.png", "c.jpg.png")
LONG_AGO_NS = 1_600_000_000_000_000_000

places = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES))
folders = st.sampled_from(FOLDERS[1:])


class Tree(RuleBasedStateMachine):
    """A folder that is changed at random, with a library that looks at it now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = Path(tempfile.mkdtemp())
        self.root = self.scratch / "media"
        self.root.mkdir()
        self.session = Session.open(self.scratch / "home", device="cpu")
        self.ticks = 0
        self.seen: set[bytes] = set()
        """What the files held at the last look."""

    def teardown(self) -> None:
        self.session.close()
        shutil.rmtree(self.scratch)

    def path(self, place: tuple[str, str]) -> Path:
        return self.root / place[0] / place[1]

    def contents(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    @initialize()
    def an_anchor_that_stays(self) -> None:
        self.write(("", "anchor.png"), 99)  # a root that lost its last file would count as an unplugged drive

    @rule(place=places, colour=st.integers(0, 4))
    def write(self, place: tuple[str, str], colour: int) -> None:
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(colour).integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        self.ticks += 1  # distinct times, some of them whole seconds
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS + self.ticks * 250_000_000))

    @rule(origin=places, place=places, with_time=st.booleans())
    def copy(self, origin: tuple[str, str], place: tuple[str, str], with_time: bool) -> None:
        if self.path(origin).exists() and origin != place:
            self.path(place).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copy2 if with_time else shutil.copy)(self.path(origin), self.path(place))

    @rule(origin=places, place=places)
    def move(self, origin: tuple[str, str], place: tuple[str, str]) -> None:
        if self.path(origin).exists():
            self.path(place).parent.mkdir(parents=True, exist_ok=True)
            self.path(origin).replace(self.path(place))

    @rule(place=places)
    def delete(self, place: tuple[str, str]) -> None:
        self.path(place).unlink(missing_ok=True)

    @rule(folder=folders)
    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)

    @rule(origin=folders, place=folders)
    def rename_folder(self, origin: str, place: str) -> None:
        new = self.root / place
        if (self.root / origin).is_dir() and not new.exists() and not place.startswith(origin):
            new.parent.mkdir(parents=True, exist_ok=True)
            (self.root / origin).rename(new)

    @rule()
    def look(self) -> None:
        report = self.session.index(IndexRequest((str(self.root),), MODELS))
        contents = self.contents()
        assert report.files.seen == len(contents)
        assert not report.failures
        assert report.encoded["colour-texture"] <= len(set(contents.values()) - self.seen)
        self.seen = set(contents.values())
        assert report.items[ItemKind.PHOTO] == len(self.seen)
        assert sum(self.session.status().kinds.values()) == len(contents)
        assert self.found() == set(contents)
        self.content_is_where_it_is_said_to_be(contents)

    @rule(folder=folders)
    def look_at_one_folder(self, folder: str) -> None:
        if not self.seen:
            return  # it would become a root
        contents = self.contents()
        below = {content for path, content in contents.items() if path.startswith(f"{folder}/")}
        report = self.session.index(IndexRequest((str(self.root / folder),), MODELS, followed=True))
        if (self.root / folder).is_dir():
            assert report.encoded["colour-texture"] <= len(below - self.seen)
        assert not report.failures
        self.seen = (self.seen & set(contents.values())) | below

    def found(self) -> set[str]:
        """All paths that a search by the words of the names brings, copies too."""
        hits = self.session.search(SearchRequest(Query.of_text("png"), k=100)).hits
        found = {hit.path for hit in hits}
        for hit in hits:
            found |= set(self.session.details(hit.item_id).copies)
        return {str(Path(path).relative_to(self.root)) for path in found}

    def content_is_where_it_is_said_to_be(self, contents: dict[str, bytes]) -> None:
        for hit in self.session.search(SearchRequest(Query.of_text("png"), k=100)).hits:
            details = self.session.details(hit.item_id)
            held = {contents[str(Path(path).relative_to(self.root))] for path in (details.path, *details.copies)}
            assert len(held) == 1

    @invariant()
    def the_anchor_is_there(self) -> None:
        assert not self.seen or (self.root / "anchor.png").exists()


TestTree = Tree.TestCase
TestTree.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
