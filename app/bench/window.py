"""How long the window answers nobody while folders are indexed and 100,000 results are scrolled."""

from __future__ import annotations

import hashlib
import importlib
import multiprocessing
import os
import shutil
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import numpy as np

from app.bench import media
from app.bench.figure import Figure, Measure, Target, Workbench, figure
from app.engine.encoders.catalogue import Catalogue
from app.engine.librarytypes import LibrarySettings
from app.engine.media import thumbnails
from app.engine.store.batches import Batch, NewItem
from app.engine.store.database import Database
from app.engine.store.files import Files, ReadFile
from app.engine.store.preferences import Preferences
from app.engine.store.spaces import Spaces
from app.engine.types import ItemKind, MediaKind
from app.paths import libraries_dir, models_dir

MEASUREMENT = "app.gui.smoothness:measure"
"""In a process of its own, and named rather than imported: nothing here knows of Qt."""

RESULTS = 100_000
SCROLL_S = 10.0
NEW_PHOTOS = 800
"""Indexing them with the built-in models lasts longer than the scrolling on two cores."""

PHOTO_PX = (2400, 1800)
THUMBNAIL_PX = (320, 240)
ORIGINALS, PICTURES = 8, 64
ENTER_FILES = 5_000
WORD = "photo"
P99_MS, MAX_MS = 16.0, 50.0
TICK_S = 0.002


def window_gap(bench: Workbench) -> list[Figure]:
    """The window of the program over its engine process, offscreen; a timer of 2 ms notes when it really fired."""
    home = bench.scratch / "home"
    results = bench.scaled(RESULTS, least=500)
    bench.note(f"a library of {results:,} photos")
    _fill_library(home, results)
    pictures = [media.jpeg(media.picture(seed, PHOTO_PX)) for seed in range(ORIGINALS)]
    originals = media.written(bench.scratch / "originals", pictures, ".jpg")
    runs = []
    for run in range(bench.runs):
        bench.note(f"window, run {run + 1} of {bench.runs}")
        folder = bench.scratch / f"new-{run}"
        media.copies(folder, originals, bench.scaled(NEW_PHOTOS, least=24))
        seconds = max(1.0, SCROLL_S * min(1.0, bench.scale))
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            measuring = process.submit(_measure, str(home), str(folder), WORD, results, seconds)
            beside = _bare_timer(measuring)
            runs.append(measuring.result() | beside)
        shutil.rmtree(folder)
    details = {name: float(np.median([run[name] for run in runs])) for name in runs[0]}
    return [
        figure(
            f"window gap {name} / {bound_ms:.0f} ms",
            [run[f"{name}_ms"] / bound_ms for run in runs],
            Target("<=", 1.0),
            "whatever else wants the cores: the bare timer beside the window has the gaps that are the system's",
            **details,
        )
        for name, bound_ms in (("p99", P99_MS), ("max", MAX_MS))
    ]


MEASURES: dict[str, Measure] = {"window-gap": window_gap}


def _measure(*args: object) -> dict[str, float]:
    module, _, function = MEASUREMENT.partition(":")
    measured: dict[str, float] = getattr(importlib.import_module(module), function)(*args)
    return measured


def _bare_timer(measuring: Future[dict[str, float]]) -> dict[str, float]:
    """The gaps that the same timer has meanwhile in this process, which does nothing else: those are the system's."""
    gaps_ms = []
    last_s = time.perf_counter()
    while not measuring.done():
        time.sleep(TICK_S)
        now_s = time.perf_counter()
        gaps_ms.append((now_s - last_s) * 1000)
        last_s = now_s
    return {"bare_timer_p99_ms": float(np.percentile(gaps_ms, 99)), "bare_timer_max_ms": max(gaps_ms)}


def _fill_library(home: Path, count: int) -> None:
    """A library that holds ``count`` photos with thumbnails, as after a long indexing; the files need not be there."""
    root = os.fsencode(home / "photos")
    os.makedirs(root)  # noqa: PTH103 - a path of bytes
    Path(os.fsdecode(root), "here").touch()  # an empty folder would count as a drive that is away
    pictures = [thumbnails.picture(media.picture(seed, THUMBNAIL_PX)) for seed in range(PICTURES)]
    database = Database(libraries_dir(home) / "default")
    try:
        Preferences(database).choose_settings(LibrarySettings(watch=False))  # it would see that no file is there
        files, spaces = Files(database), Spaces(database)
        files.add_root(root, lambda _root, _folder: False)
        catalogue = Catalogue(models_dir(home))
        ready = [status for status in catalogue.statuses() if status.ready]
        made = [spaces.ensure(status.key, catalogue.fingerprint(status.key), status.dim).id for status in ready]
        for begin in range(0, count, ENTER_FILES):
            files.record_read([_file(root, number) for number in range(begin, min(count, begin + ENTER_FILES))], {})
        contents = [file.content_id for file in files.known(root) if file.content_id is not None]
        for begin in range(0, count, ENTER_FILES):
            some = contents[begin : begin + ENTER_FILES]
            items = [NewItem(id_, ItemKind.PHOTO, 0, None, pictures[id_ % PICTURES], {}) for id_ in some]
            spaces.commit(Batch(items=items, finished=[(id_, space) for id_ in some for space in made]))
    finally:
        database.close()


def _file(root: bytes, number: int) -> ReadFile:
    name = f"{WORD} {number:06}.jpg".encode()
    return ReadFile(
        path=root + os.sep.encode() + name,
        size_bytes=2_000_000,
        mtime_ns=number,
        sha256=hashlib.sha256(name).digest(),
        kind=MediaKind.PHOTO,
    )
