"""A model that is taken out leaves nothing behind: no vector, no file, no space on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.engine.errors import AppError
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.store import spaces as spaces_module
from app.engine.store.batches import Batch, NewItem
from app.engine.types import ItemKind, Query, SearchRequest

Make = Callable[..., Path]


@pytest.fixture
def library(home: Path, photo: Make, tmp_path: Path) -> Path:
    """A folder of 30 photos, indexed with one model, its graph on the disk."""
    for seed in range(30):
        photo(f"{seed}.png", seed)
    folder = tmp_path / "media"
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        session.index(IndexRequest((str(folder),), ("colour-texture", "timbre")))
    return folder


def index_files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "libraries" / "default" / "indexes").iterdir())


def rows_left(home: Path) -> list[int]:
    with sqlite3.connect(home / "libraries" / "default" / "library.sqlite") as connection:
        tables = ("vectors", "encoded WHERE space_id = 1", "spaces WHERE encoder = 'colour-texture'")
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def test_a_forgotten_model_leaves_nothing_and_may_come_back(home: Path, library: Path) -> None:
    query = SearchRequest(Query.of_image(str(library / "0.png")), k=10)
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        before = session.search(query)
        assert index_files(home) == ["space-1.hnsw", "space-1.json"]
        status = session.forget_model("colour-texture")
        assert "colour-texture" not in status.models
        assert "colour-texture" not in status.spaces or status.spaces["colour-texture"].items == 0
        assert index_files(home) == []
        with pytest.raises(AppError, match="not indexed with a model"):
            session.search(query)
        session.index(IndexRequest(models=("colour-texture",)))
        after = session.search(query)
        assert [hit.path for hit in after.hits] == [hit.path for hit in before.hits]
        session.forget_model("colour-texture")
    assert rows_left(home) == [0, 0, 0]


def test_the_space_is_given_back_to_the_disk(home: Path, library: Path) -> None:
    with Session.open(home, device="cpu") as session:
        items = [
            NewItem(1, ItemKind.FRAME, start_ms, None, b"", {1: np.ones(906, np.float32)})
            for start_ms in range(0, 3_000_000, 1000)
        ]
        session._spaces.commit(Batch(items=items))
        session._database.read.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before = session.status().size_bytes
        after = session.forget_model("colour-texture").size_bytes
    assert before - after > 3000 * 906 * 2


def test_forgetting_can_be_cancelled_and_gone_on_with(
    home: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces_module, "FORGOTTEN_AT_ONCE", 4)

    def cancel_half_way(progress: Progress) -> None:
        if progress.done >= 12:
            job.cancel()

    job = Job(cancel_half_way, min_interval_s=0)
    with Session.open(home, device="cpu", exact_up_to=5) as session:
        with pytest.raises(Cancelled):
            session.forget_model("colour-texture", job)
        vectors, _, spaces = rows_left(home)
        assert 0 < vectors < 30
        assert spaces == 1
        session.forget_model("colour-texture")
    assert rows_left(home) == [0, 0, 0]


def test_what_a_model_that_is_taken_out_keeps_is_counted_until_it_is_forgotten(home: Path, library: Path) -> None:
    with Session.open(home, device="cpu") as session:
        assert session.status().kept == {}
        chosen = session.status().spaces["colour-texture"]
        assert session.set_models(("timbre",)).kept == {"colour-texture": chosen}
        assert chosen.items == 30
        assert session.set_models(("timbre", "colour-texture")).kept == {}
        session.set_models(("timbre",))
        assert session.forget_model("colour-texture").kept == {}


def test_a_model_that_is_not_known_is_refused(home: Path, library: Path) -> None:
    with Session.open(home, device="cpu") as session:
        with pytest.raises(AppError):
            session.forget_model("no-such-model")
        assert session.forget_model("timbre").models == ("colour-texture",)
