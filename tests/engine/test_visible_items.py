"""Which items may be found: kept between searches, and at every moment what SQLite would say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.librarytypes import IndexReport
from app.engine.session import Session
from app.engine.store.batches import Batch, ContentFacts, NewItem
from app.engine.store.database import Database
from app.engine.store.files import Files, ReadFile
from app.engine.store.lookup import Lookup
from app.engine.store.spaces import Spaces
from app.engine.types import Filters, ItemKind, MediaKind, Query, SearchRequest

KINDS = (ItemKind.PHOTO, ItemKind.AUDIO)
FILTERS = (
    Filters(),
    Filters(kinds=frozenset({MediaKind.PHOTO})),
    Filters(under="/library/a"),
    Filters(after_ms=50_000),
    Filters(before_ms=50_000, under="/library/b"),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "copy", "rename", "touch", "remove", "purge", "search"]),
        st.integers(0, 30),
        st.sampled_from(["/library/a", "/library/b"]),
    ),
    max_size=14,
)


class Model:
    """A library that is changed step by step, and what of it each filter should let through."""

    def __init__(self, database: Database) -> None:
        self.files, self.spaces, self.lookup = Files(database), Spaces(database), Lookup(database)
        self.fresh = lambda: Lookup(database)
        self.files.add_root(b"/library", lambda *_: False)
        self.paths: dict[bytes, int] = {}
        self.number = 0

    def read(self, path: bytes, number: int, mtime_s: int, renamed_from: dict[bytes, int] | None = None) -> None:
        kind = MediaKind.AUDIO if number % 3 == 0 else MediaKind.PHOTO
        file = ReadFile(path, 1, mtime_s * 10**9, hashlib.sha256(b"%d" % number).digest(), kind)
        self.files.record_read([file], renamed_from or {})
        self.paths[path] = number

    def add(self, value: int, folder: str) -> None:
        self.number += 1
        path = f"{folder}/{self.number}".encode()
        self.read(path, self.number, 10 * value)
        (content,) = {file.content_id for file in self.files.known(path)}
        kind = MediaKind.AUDIO if self.number % 3 == 0 else MediaKind.PHOTO
        item = ItemKind.AUDIO if kind is MediaKind.AUDIO else ItemKind.PHOTO
        assert content
        facts = ContentFacts(kind, None, None, None, 1000 * value if value % 2 else None, "")
        self.spaces.commit(Batch(items=[NewItem(content, item, 0, None, b"", {})], facts={content: facts}))

    def step(self, action: str, value: int, folder: str) -> None:
        known = sorted(self.paths)
        path = known[value % len(known)] if known else b""
        match action:
            case "add":
                self.add(value, folder)
            case "purge":
                self.files.purge(self.files.orphans())
            case "copy" if known:
                self.read(f"{folder}/copy{value}".encode(), self.paths[path], value)
            case "rename" if known:
                (file,) = self.files.known(path)
                self.number += 1
                new = f"{folder}/{self.number}".encode()
                self.read(new, self.paths.pop(path), value, {new: file.id})
            case "touch" if known:
                self.read(path, self.paths[path], 10 * value)
            case "remove" if known:
                self.files.remove([file.id for file in self.files.known(path)])
                del self.paths[path]


@given(STEPS)
@settings(max_examples=30, deadline=None)
def test_what_is_kept_is_what_sqlite_says(steps: list[tuple[str, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "library")
        try:
            model = Model(database)
            for action, value, where in steps:
                model.step(action, value, where)
                for filters in FILTERS[value % 2 :: 2]:  # every other: some caches fall behind by more than one step
                    kept = model.lookup.visible(filters, KINDS)
                    np.testing.assert_array_equal(kept, model.fresh().visible(filters, KINDS))
        finally:
            database.close()


def opened(folder: Path) -> Iterator[Model]:
    database = Database(folder)
    yield Model(database)
    database.close()


def test_the_same_array_stands_while_nothing_that_is_visible_changes(tmp_path: Path) -> None:
    for model in opened(tmp_path / "library"):
        for value in range(5):
            model.add(value, "/library/a")
        first = model.lookup.visible(Filters(), KINDS)
        assert len(first) == 5
        assert model.lookup.visible(Filters(), KINDS) is first
        model.spaces.ensure("encoder", "fingerprint", 4)  # a change that no item has to do with
        assert model.lookup.visible(Filters(), KINDS) is first
        model.add(6, "/library/a")
        assert len(model.lookup.visible(Filters(), KINDS)) == 6


def test_removed_files_leave_the_results_at_once(
    session: Session, index: Callable[..., IndexReport], photo: Callable[..., Path]
) -> None:
    query = Query.of_image(str(photo("query.png", 0)))
    one, other = photo("a/one.png", 1), photo("b/two.png", 2)
    index()

    def found(filters: Filters) -> set[str]:
        return {hit.path for hit in session.search(SearchRequest(query, filters=filters)).hits}

    below_a = Filters(under=str(one.parent))
    assert (found(Filters()), found(below_a)) == ({str(one), str(other)}, {str(one)})
    moved = other.rename(one.with_name("moved.png"))
    index()
    assert (found(Filters()), found(below_a)) == ({str(one), str(moved)}, {str(one), str(moved)})
    one.unlink()
    new = photo("a/new.png", 3)
    index()
    assert found(Filters()) == found(below_a) == {str(moved), str(new)}
