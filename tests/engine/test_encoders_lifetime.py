"""Encoders in memory: loaded once, evicted when memory is short, made anew when their files change."""

from __future__ import annotations

import gc
import hashlib
import itertools
import os
import shutil
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import smallclip
import torch

from app.cli.arguments import parser
from app.cli.run import run as run_command
from app.engine.encoders import openclip
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.lifetime import RESERVE_BYTES, Lifetime, free_memory_bytes
from app.engine.encoders.record import write_record
from app.engine.errors import AppError, DeviceExhausted, WeightsCorrupt, WeightsMissing
from app.engine.evaltypes import EvaluationRequest
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.modeltypes import Installation, InstalledFile, Pin
from app.engine.samples import Text
from app.engine.session import Session
from app.engine.types import Query, SearchRequest

FULL_BYTES = RESERVE_BYTES + 1000


class Memory:
    """A machine's memory: what is free is what living encoders leave."""

    def __init__(self, size_bytes: int = FULL_BYTES) -> None:
        self.size_bytes = size_bytes
        self.alive: weakref.WeakSet[Fake] = weakref.WeakSet()
        self.loads: list[str] = []

    def free(self) -> int:
        return self.size_bytes - sum(fake.bytes for fake in self.alive)

    def loader(self, key: str, size_bytes: int) -> Callable[[], Fake]:
        def load() -> Fake:
            self.loads.append(key)
            fake = Fake(size_bytes)
            self.alive.add(fake)
            return fake

        return load


class Fake:
    def __init__(self, size_bytes: int) -> None:
        self.bytes = size_bytes


def get(lifetime: Lifetime, memory: Memory, key: str, size_bytes: int = 400) -> Fake:
    return lifetime.get(key, (), size_bytes, memory.loader(key, size_bytes))  # type: ignore[arg-type, return-value]


def test_the_least_recently_used_makes_room() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    get(lifetime, memory, "a")
    get(lifetime, memory, "b")
    get(lifetime, memory, "a")
    get(lifetime, memory, "c")
    assert lifetime.loaded() == ("a", "c")
    assert memory.loads == ["a", "b", "c"]
    assert memory.free() >= RESERVE_BYTES


def test_one_in_use_is_not_pulled_away_and_not_loaded_twice() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    used = get(lifetime, memory, "a")
    get(lifetime, memory, "b")
    get(lifetime, memory, "c", 900)
    assert lifetime.loaded() == ("c",)
    assert used in memory.alive
    assert get(lifetime, memory, "a") is used
    assert memory.loads == ["a", "b", "c"]


def test_memory_that_others_took_is_given_back_after_a_run() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    get(lifetime, memory, "a")
    get(lifetime, memory, "b")
    lifetime.make_room()
    assert lifetime.loaded() == ("a", "b")
    memory.size_bytes -= 500
    lifetime.make_room()
    assert lifetime.loaded() == ("b",)


def test_a_model_larger_than_the_machine_is_tried_alone() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    get(lifetime, memory, "a")
    get(lifetime, memory, "giant", 10 * FULL_BYTES)
    assert lifetime.loaded() == ("giant",)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_load_that_lacks_memory_evicts_the_others_and_is_tried_once_more(error: Exception) -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    get(lifetime, memory, "a", 1)
    attempts = []

    def load() -> Fake:
        attempts.append(lifetime.loaded())
        if len(attempts) == 1:
            raise error
        return Fake(1)

    lifetime.get("b", (), 1, load)  # type: ignore[arg-type]
    assert attempts == [("a",), ()]

    def never() -> Fake:
        raise error

    with pytest.raises(DeviceExhausted, match="choose a smaller model"):
        lifetime.get("c", (), 1, never)  # type: ignore[arg-type]
    assert "c" not in lifetime.loaded()


def test_another_failure_of_loading_is_passed_on_and_may_be_mended() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    with pytest.raises(ZeroDivisionError):
        lifetime.get("a", (), 1, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(RuntimeError, match="shapes"):
        lifetime.get("a", (), 1, lambda: torch.ones(2, 3) @ torch.ones(2, 3))  # type: ignore[arg-type, return-value]
    assert get(lifetime, memory, "a") is get(lifetime, memory, "a")


def test_lanes_that_ask_at_once_get_one_encoder_each_model() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    together = threading.Barrier(8)

    def ask(number: int) -> Fake:
        together.wait()
        return get(lifetime, memory, "ab"[number % 2])

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(8)))
    assert len({id(fake) for fake in got}) == 2
    assert sorted(memory.loads) == ["a", "b"]


def test_lanes_that_load_at_once_do_not_take_the_same_memory_twice() -> None:
    memory = Memory(FULL_BYTES)
    lifetime = Lifetime(memory.free)
    began = threading.Barrier(2, timeout=0.5)

    def load(key: str) -> None:
        def slowly() -> Fake:
            with suppress(threading.BrokenBarrierError):  # nobody else may be here
                began.wait()
            return memory.loader(key, 800)()

        lifetime.get(key, (), 800, slowly)  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(load, "ab"))
    assert len(lifetime.loaded()) == 1
    assert memory.free() >= RESERVE_BYTES


def test_one_in_use_is_found_while_another_is_loaded() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)
    used = get(lifetime, memory, "a")
    found: list[Fake] = []

    def load() -> Fake:
        with ThreadPoolExecutor(1) as lane:
            found.append(lane.submit(get, lifetime, memory, "a").result(timeout=20))
        return Fake(1)

    lifetime.get("b", (), 1, load)  # type: ignore[arg-type]
    assert found == [used]


def test_a_model_that_is_dropped_while_it_is_loaded_is_not_kept() -> None:
    memory = Memory()
    lifetime = Lifetime(memory.free)

    def load() -> Fake:
        lifetime.drop(["a"])
        return Fake(1)

    lifetime.get("a", (), 1, load)  # type: ignore[arg-type]
    assert lifetime.loaded() == ()


def test_free_memory_is_told_in_bytes() -> None:
    assert 10 << 20 < free_memory_bytes() < 1 << 50


def test_on_a_gpu_what_torch_keeps_for_itself_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied = []
    for name, answer in {
        "is_available": True,
        "is_initialized": True,
        "memory_reserved": 500,
        "memory_allocated": 200,
        "mem_get_info": (1000, 5000),
    }.items():
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    assert free_memory_bytes() == 1300
    memory = Memory()
    lifetime = Lifetime(memory.free)
    get(lifetime, memory, "a")
    lifetime.drop(["a"])
    assert emptied


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    smallclip.write(tmp_path / "home" / "models")
    return tmp_path / "home" / "models"


def words(catalogue: Catalogue) -> np.ndarray:
    return catalogue.load(smallclip.KEY).encode([Text("a red ball")])


def test_the_files_of_a_model_are_read_once_until_they_change(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = openclip.read_weights
    monkeypatch.setattr(openclip, "read_weights", lambda path: (reads.append(path), read(path))[1])
    catalogue = Catalogue(models_dir, "cpu")
    before, old = words(catalogue), catalogue.load(smallclip.KEY)
    assert catalogue.load(smallclip.KEY) is old
    assert len(reads) == 1
    smallclip.write(models_dir, seed=2)
    assert catalogue.load(smallclip.KEY) is not old
    assert catalogue.load(smallclip.KEY).fingerprint == catalogue.fingerprint(smallclip.KEY) != old.fingerprint
    assert not np.allclose(words(catalogue), before)
    assert len(reads) == 2


def test_a_model_that_is_replaced_while_it_is_loaded_is_loaded_again(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, seeds = openclip.read_weights, iter((2,))

    def replaced(path: Path) -> dict[str, torch.Tensor]:
        for seed in seeds:
            smallclip.write(models_dir, seed)
        return read(path)

    monkeypatch.setattr(openclip, "read_weights", replaced)
    catalogue = Catalogue(models_dir, "cpu")
    encoder = catalogue.load(smallclip.KEY)
    assert encoder.fingerprint == catalogue.fingerprint(smallclip.KEY)
    np.testing.assert_array_equal(words(catalogue), words(Catalogue(models_dir, "cpu")))
    assert catalogue.load(smallclip.KEY) is encoder


def test_a_model_whose_files_change_all_the_time_is_told_of(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = openclip.read_weights
    clock_ns = itertools.count(1)

    def touched(path: Path) -> dict[str, torch.Tensor]:
        os.utime(path, ns=(next(clock_ns), next(clock_ns)))
        return read(path)

    monkeypatch.setattr(openclip, "read_weights", touched)
    with pytest.raises(AppError, match="change while they are read"):
        Catalogue(models_dir, "cpu").load(smallclip.KEY)


def test_unloading_a_model_unloads_its_variant_and_gives_its_memory_back(models_dir: Path) -> None:
    catalogue = Catalogue(models_dir, "cpu")
    gone = [weakref.ref(catalogue.load(key)) for key in (smallclip.KEY, f"{smallclip.KEY}-int8", "timbre")]
    catalogue.unload(f"{smallclip.KEY}-int8")
    gc.collect()
    assert [ref() is None for ref in gone] == [True, True, False]
    catalogue.unload("never heard of")


def test_a_removed_model_is_not_answered_from_memory(models_dir: Path) -> None:
    catalogue = Catalogue(models_dir, "cpu")
    words(catalogue)
    shutil.rmtree(models_dir / smallclip.KEY)
    with pytest.raises(WeightsMissing):
        catalogue.load(smallclip.KEY)


# --- a library's spaces ----------------------------------------------------------------------------------------------


@pytest.fixture
def indexed(models_dir: Path, photo: Callable[..., Path], tmp_path: Path) -> Callable[[Session], IndexReport]:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    return lambda session: session.index(IndexRequest((str(tmp_path / "media"),), (smallclip.KEY,)))


def test_changed_weights_are_a_new_space_and_the_old_vectors_are_kept_until_freed(
    models_dir: Path, indexed: Callable[[Session], IndexReport]
) -> None:
    key = smallclip.KEY
    query = SearchRequest(Query.of_text("a red ball"), model=key, keywords=False)
    with Session.open(models_dir.parent, device="cpu") as session:
        assert indexed(session).notes == ()
        before = [hit.similarity for hit in session.search(query).hits]
        smallclip.write(models_dir, seed=2)
        with pytest.raises(AppError, match="Nothing is indexed with this model"):
            session.search(query)
        report = indexed(session)
        (note,) = report.notes
        assert "new space, and its 4 items are encoded again" in note
        assert "old vectors are kept" in note
        assert report.encoded == {key: 4}
        assert [hit.similarity for hit in session.search(query).hits] != before
        status = session.status()
        assert status.earlier[key].items == status.spaces[key].items == 4
        assert key not in status.kept

        smallclip.write(models_dir, seed=1)  # the old file comes back
        assert indexed(session).encoded == {key: 0}
        assert [hit.similarity for hit in session.search(query).hits] == before

        status = session.forget_model(key, earlier=True)
        assert status.earlier == {}
        assert status.spaces[key].items == 4
        assert key in status.models
        assert [hit.similarity for hit in session.search(query).hits] == before


def test_the_command_line_tells_of_earlier_vectors_and_frees_them(
    models_dir: Path, indexed: Callable[[Session], IndexReport], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        assert run_command(parser().parse_args(["--home", str(models_dir.parent), *words])) == 0
        return capsys.readouterr().out

    with Session.open(models_dir.parent, device="cpu") as session:
        indexed(session)
        smallclip.write(models_dir, seed=2)
        indexed(session)
    told = f"{smallclip.KEY}, with earlier weights: 4 items are kept"
    assert told in run("status")
    assert told not in run("models", "forget", smallclip.KEY, "--earlier")
    assert f"{smallclip.KEY}: 4 items" in run("status")


def test_memory_is_eased_after_each_run(models_dir: Path, indexed: Callable[[Session], IndexReport]) -> None:
    free_bytes = [1 << 40]
    lifetime = Lifetime(lambda: free_bytes[0])
    with Session.open(models_dir.parent, encoders=Catalogue(models_dir, "cpu", lifetime=lifetime)) as session:
        indexed(session)
        assert lifetime.loaded() == (smallclip.KEY,)
        free_bytes[0] = 0
        session.evaluations.evaluate(EvaluationRequest())
        assert lifetime.loaded() == ()


def test_forgetting_a_model_takes_its_earlier_spaces_too(
    models_dir: Path, indexed: Callable[[Session], IndexReport]
) -> None:
    with Session.open(models_dir.parent, device="cpu") as session:
        indexed(session)
        smallclip.write(models_dir, seed=2)
        indexed(session)
        status = session.forget_model(smallclip.KEY)
        assert smallclip.KEY not in {*status.earlier, *status.kept, *status.spaces}
        assert session._spaces.of_encoder(smallclip.KEY) == ()


def test_a_removed_model_keeps_its_vectors_and_is_listed(
    models_dir: Path, indexed: Callable[[Session], IndexReport]
) -> None:
    key = smallclip.KEY
    with Session.open(models_dir.parent, device="cpu") as session:
        indexed(session)
        (models_dir / key).rename(models_dir / "elsewhere")
        status = session.status()
        assert key not in status.spaces
        assert status.kept[key].items == 4
        with pytest.raises(WeightsMissing, match=f"`semblance models forget {key}`"):
            session.forget_model(key, earlier=True)
        (models_dir / "elsewhere").rename(models_dir / key)
        assert indexed(session).encoded == {key: 0}
        (models_dir / key).rename(models_dir / "elsewhere")
        assert session.forget_model(key).kept == {}


def test_a_search_says_of_damaged_weights_what_indexing_says(
    models_dir: Path, indexed: Callable[[Session], IndexReport]
) -> None:
    key = smallclip.KEY
    with Session.open(models_dir.parent, device="cpu") as session:
        indexed(session)
        (weights,) = (models_dir / key).glob("*.safetensors")
        content = bytearray(weights.read_bytes())
        files = tuple(
            InstalledFile(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest(), Pin.FIRST_USE)
            for path in Catalogue(models_dir).files(key)
        )
        write_record(models_dir / key, Installation("somewhere", "", "2026-01-01", files))
        content[-1] ^= 1
        weights.write_bytes(content)
        reason = f"{weights.name} does not hold the bytes any more .*Install the model again"
        with pytest.raises(WeightsCorrupt, match=reason):
            session.search(SearchRequest(Query.of_text("a red ball"), model=key, keywords=False))
        with pytest.raises(AppError, match=reason):
            indexed(session)


def test_weights_that_change_while_a_run_begins_never_reach_the_old_space(
    models_dir: Path, indexed: Callable[[Session], IndexReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(models_dir, "cpu")
    load = catalogue.load
    monkeypatch.setattr(catalogue, "load", lambda key: (smallclip.write(models_dir, seed=2), load(key))[1])
    with Session.open(models_dir.parent, encoders=catalogue) as session:
        with pytest.raises(AppError, match="just changed"):
            indexed(session)
        assert [session._spaces.count(space.id) for space in session._spaces.all()] == [0]
