"""How much more a look at an unchanged library costs than the walk that it cannot do without."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from app.bench.figure import Figure, Measure, Target, Workbench, figure, nothing_in
from app.engine.encoders.catalogue import Catalogue
from app.engine.errors import AppError
from app.engine.jobs import NULL_JOB
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.media.scan import Rules
from app.engine.scanning import covers, update_files
from app.engine.session import Session
from app.engine.store.batches import Batch, ContentFacts, NewItem, Sampling, Work
from app.engine.store.database import Database
from app.engine.store.files import Files
from app.engine.store.folders import Folders
from app.engine.store.preferences import Preferences
from app.engine.store.spaces import Spaces
from app.engine.types import ItemKind, MediaKind
from app.paths import libraries_dir, models_dir

FILES = 200_000
FILES_PER_FOLDER = 100
FOLDERS_PER_FOLDER = 50
MODEL = "colour-texture"
COMMIT_EVERY_ITEMS = 4096
FIRST_MTIME_NS = 1_600_000_000_123_456_789


def rescan(workbench: Workbench) -> Sequence[Figure]:
    """`Session.index` over an unchanged library / a bare recursive `os.scandir` with one `stat` a file."""
    count = workbench.scaled(FILES, least=FILES_PER_FOLDER)
    tree = workbench.folder or _make_photos(workbench.scratch / "tree", count)
    home = workbench.scratch / "home"
    workbench.note("entering the files")
    _enter(home, tree)
    ratios, walks_ms, rescans_ms = [], [], []
    with Session.open(home, device="cpu") as session:
        files = session.index(IndexRequest()).files.seen  # the first pass finds all caches cold
        if not files:
            raise nothing_in(workbench.folder, "photos, videos or sounds")
        for run in range(workbench.runs):
            workbench.note(f"run {run + 1} of {workbench.runs}")
            began_s = time.perf_counter()
            _walk(os.fsencode(tree))
            walked_s = time.perf_counter()
            report = session.index(IndexRequest())
            done_s = time.perf_counter()
            if _has_changed(report) or report.files.seen != files:
                raise AppError("The folder changed", "It is measured unchanged: measure again when it is.", str(tree))
            walks_ms.append((walked_s - began_s) * 1000)
            rescans_ms.append((done_s - walked_s) * 1000)
            ratios.append(rescans_ms[-1] / walks_ms[-1])
    return [
        figure(
            "rescan",
            ratios,
            Target("<=", 1.5),
            "the interpreter's time to take each file's facts and digest them",
            files=files,
            walk_ms=float(np.median(walks_ms)),
            rescan_ms=float(np.median(rescans_ms)),
        )
    ]


MEASURES: dict[str, Measure] = {"rescan": rescan}


def _has_changed(report: IndexReport) -> bool:
    """Whether a pass met anything new. A file that cannot be read is left again and again, and is no change."""
    files = report.files
    return bool(files.new or files.changed or files.renamed or files.removed or any(report.encoded.values()))


def _walk(folder: bytes) -> int:
    """The yardstick: nothing but the listing and the facts of each file. What cannot be looked at is passed by."""
    count = 0
    with suppress(PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += _walk(entry.path)
                continue
            try:
                entry.stat()
            except OSError:  # a link to nowhere
                continue
            count += 1
    return count


def _make_photos(tree: Path, count: int) -> Path:
    """``count`` PNGs of one pixel each, no two of one colour, last changed long ago."""
    for number in range(count):
        index = number // FILES_PER_FOLDER
        folder = tree / f"{index // FOLDERS_PER_FOLDER:03}" / f"{index:05}"
        if number % FILES_PER_FOLDER == 0:
            folder.mkdir(parents=True)
        path = folder / f"IMG_{number:07}.png"
        path.write_bytes(_png(number.to_bytes(3, "big")))
        os.utime(path, ns=(FIRST_MTIME_NS + number, FIRST_MTIME_NS + number))
    return tree


def _png(colour: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" + colour))
        + chunk(b"IEND", b"")
    )


def _enter(home: Path, tree: Path) -> None:
    """Read the files into a library as indexing does, and give each content one item with a vector of no meaning:
    decoding is not what is measured."""
    catalogue = Catalogue(models_dir(home), "cpu")
    database = Database(libraries_dir(home) / "default")
    try:
        files, spaces, preferences = Files(database), Spaces(database), Preferences(database)
        rules, root = Rules(), os.fsencode(tree.absolute())
        sampling = Sampling(preferences.settings.frame_interval_ms, preferences.settings.window_ms)
        files.add_root(root, lambda above, path: covers(above, path, rules))
        update_files(files, Folders(database), [root], rules, NULL_JOB)
        dim = catalogue.spec(MODEL).dim
        space = spaces.ensure(MODEL, catalogue.fingerprint(MODEL), dim)
        for batch in _batches(spaces.work([space.id], sampling), space.id, dim):
            spaces.commit(batch)
        spaces.settle([space.id], sampling)
        preferences.choose_models([MODEL])
    finally:
        database.close()


def _batches(work: Sequence[Work], space_id: int, dim: int) -> Iterator[Batch]:
    random = np.random.default_rng(0)
    for begin in range(0, len(work), COMMIT_EVERY_ITEMS):
        some = work[begin : begin + COMMIT_EVERY_ITEMS]
        vectors = random.standard_normal((len(some), dim), np.float32)
        yield Batch(
            items=[
                NewItem(one.content_id, ItemKind.PHOTO, 0, None, b"", {space_id: vector})
                for one, vector in zip(some, vectors, strict=True)
            ],
            facts={one.content_id: ContentFacts(MediaKind.PHOTO, 1, 1, None, None, "") for one in some},
            finished=[(one.content_id, space_id) for one in some],
        )
