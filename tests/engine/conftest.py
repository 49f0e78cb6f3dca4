"""Small media made on the spot, and a session to index them with."""

from __future__ import annotations

import wave
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pebble import ProcessPool
from PIL import Image

import app.engine.media.pool
from app.engine.encoders import device
from app.engine.encoders.precision import half_type
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.session import Session

MakePhoto = Callable[..., Path]
MakeSound = Callable[..., Path]
SAMPLE_RATE_HZ = 16_000


@pytest.fixture(scope="session", autouse=True)
def single_precision() -> Iterator[None]:
    """On a processor with units for half precision, which of the two is faster would depend on what else runs: what is
    held against upstream to the fifth digit is computed in single. Tests of half precision ask for it themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "half_type", lambda place: None if place == "cpu" else half_type(place))
        yield


@pytest.fixture(scope="session")
def idle_decoders() -> Iterator[dict[tuple[int, bool], list[ProcessPool]]]:
    """The children that decoded for libraries which are closed, by how many there are and whether they yield."""
    idle: dict[tuple[int, bool], list[ProcessPool]] = defaultdict(list)
    yield idle
    for pools in idle.values():
        for pool in pools:
            pool.stop()
            pool.join()


@pytest.fixture(autouse=True)
def lasting_decoders(idle_decoders: dict[tuple[int, bool], list[ProcessPool]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that decode go from a library that is closed to the next one: they take longer to start than most tests
    to run. Tests of how they come and go override this."""
    new_pool, end = app.engine.media.pool._Lane._new_pool, app.engine.media.pool._end
    kinds: dict[ProcessPool, tuple[int, bool]] = {}

    def take(lane: Any) -> ProcessPool:
        kind = lane._workers, lane._yielding
        pool = idle_decoders[kind].pop() if idle_decoders[kind] else new_pool(lane)
        kinds[pool] = kind
        return pool

    def leave(pool: ProcessPool) -> None:
        kind = kinds.pop(pool, None)
        if kind and pool.active:
            idle_decoders[kind].append(pool)
        else:
            end(pool)

    monkeypatch.setattr(app.engine.media.pool._Lane, "_new_pool", take)
    monkeypatch.setattr(app.engine.media.pool, "_end", leave)


@pytest.fixture
def photo(tmp_path: Path) -> MakePhoto:
    """Writes a photo below the folder ``media``: stripes of a seeded colour, so that no two seeds look alike."""

    def make(name: str, seed: int = 0, caption: str = "") -> Path:
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        rows = random.integers(0, 256, (8, 1, 3), np.uint8).repeat(12, 0).repeat(96, 1)
        exif = Image.Exif()
        if caption:
            exif[0x010E] = caption.encode()  # Pillow would make text ASCII
        Image.fromarray(rows).save(path, exif=exif)
        return path

    return make


@pytest.fixture
def sound(tmp_path: Path) -> MakeSound:
    """Writes a sound below the folder ``media``: a tone."""

    def make(name: str, frequency_hz: float = 440.0, seconds: float = 1.5) -> Path:
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        times_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        samples = (np.sin(2 * np.pi * frequency_hz * times_s) * 12_000).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(samples.tobytes())
        return path

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with Session.open(home, device="cpu") as opened:
        yield opened


@pytest.fixture
def index(session: Session, tmp_path: Path) -> Callable[..., IndexReport]:
    """Indexes the folder ``media``, or others, with the built-in models."""

    def run(*folders: Path) -> IndexReport:
        chosen = tuple(str(folder) for folder in folders or (tmp_path / "media",))
        return session.index(IndexRequest(chosen, ("colour-texture", "timbre")))

    return run
