"""A file that crashes, hangs or bloats a decoder costs that file alone."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.engine.errors import MediaUnreadable
from app.engine.media.decode import DecodedPart, DecodeRequest
from app.engine.media.pool import DecoderPool
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import ItemKind

SMALL = PictureInput(32, 32)
TIMEOUT_S = 60

REFUSED = {
    "images/odd/pillow/zero_width.gif": "no picture in a format",
    "hostile/images/heif/corrupted.heic": "no picture in a format",
    "hostile/images/heif/corrupted.hif": "no picture in a format",
    "hostile/images/heif/empty.heic": "The file is empty",
    "hostile/images/pillow/bmp/b/badheadersize.bmp": "damaged",
    "hostile/images/pillow/bmp/b/badpalettesize.bmp": "damaged",
    "hostile/images/pillow/bmp/b/badwidth.bmp": "more than 300 megapixels",
    "hostile/images/pillow/bmp/b/reallybig.bmp": "more than 300 megapixels",
    "hostile/images/pillow/decompression_bomb.gif": "more than 300 megapixels",
    "hostile/images/pillow/decompression_bomb.ico": "more than 300 megapixels",
    "hostile/images/pillow/oom-8ed3316a4109213ca96fb8a256a0bfefdece1461.icns": "more than 300 megapixels",
    "hostile/images/pillow/ultrahdr.jpg": "damaged",  # its pixels are missing
}
"""Which of the odd and hostile files are refused, with words of the reason."""


@pytest.fixture(autouse=True)
def lasting_decoders() -> None:
    """Here they come and go as they do for a person."""


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(workers=1, time_limit_s=2.0) as shared:
        yield shared


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 30), "teal").save(path)
    return os.fsencode(path)


def refusal(future: Future[object]) -> str:
    with pytest.raises(MediaUnreadable) as caught:
        future.result(TIMEOUT_S)
    assert caught.value.path == "bad"
    return caught.value.message


def is_well(pool: DecoderPool, photo: bytes) -> bool:
    part = pool.decode(DecodeRequest(photo, (SMALL,))).result(TIMEOUT_S)
    return bool((part.items[0].inputs[SMALL] == (0, 128, 128)).all())


def test_decode_preview_and_sample_come_back(pool: DecoderPool, photo: bytes) -> None:
    assert is_well(pool, photo)
    assert pool.preview(photo, ItemKind.PHOTO, None, None, 20).result(TIMEOUT_S).startswith(b"\xff\xd8")
    assert pool.sample_at(photo, SMALL).result(TIMEOUT_S).shape == (32, 32, 3)


def test_a_refused_file_says_why(pool: DecoderPool, tmp_path: Path) -> None:
    with pytest.raises(MediaUnreadable, match="no longer there") as caught:
        pool.decode(DecodeRequest(os.fsencode(tmp_path / "a.mp4"))).result(TIMEOUT_S)
    assert caught.value.path == str(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(ctypes.string_at, (0,)), (os.abort, ()), (os._exit, (1,))],
    ids=["segfault", "abort", "exit"],
)
def test_a_crash_costs_one_file(
    pool: DecoderPool, photo: bytes, function: object, arguments: tuple[object, ...]
) -> None:
    assert "crashed" in refusal(pool._bulk.submit(b"bad", function, *arguments))
    assert is_well(pool, photo)


def test_a_hang_costs_one_file(pool: DecoderPool, photo: bytes) -> None:
    hung = pool._bulk.submit(b"bad", time.sleep, 3600)
    waiting = pool.decode(DecodeRequest(photo))
    assert "took longer than 2 s to decode" in refusal(hung)
    assert waiting.result(TIMEOUT_S).items


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_file_that_wants_all_memory_costs_itself(pool: DecoderPool, photo: bytes) -> None:
    assert "more memory" in refusal(pool._bulk.submit(b"bad", bytearray, 64 << 30))
    assert is_well(pool, photo)


def test_a_codecs_own_exception_becomes_a_sentence(pool: DecoderPool, photo: bytes) -> None:
    assert "crashed" in refusal(pool._bulk.submit(b"bad", int, "no number"))
    assert is_well(pool, photo)


def test_a_person_does_not_queue_behind_indexing(photo: bytes) -> None:
    with DecoderPool(workers=1) as pool:
        hung = pool._bulk.submit(b"bad", time.sleep, 3600)
        assert pool.sample_at(photo, SMALL).result(TIMEOUT_S).any()
        assert not hung.done()
        assert hung.cancel()
        assert is_well(pool, photo)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_children_killed_while_idle_are_replaced(photo: bytes) -> None:
    with DecoderPool(workers=1) as pool:
        assert is_well(pool, photo)
        for worker in pool._bulk._pool._pool_manager.worker_manager.workers.values():
            worker.kill()
            worker.join()
        pool._bulk._pool._pool_manager_loop.join(TIMEOUT_S)  # until Pebble has noticed and given up
        assert is_well(pool, photo)


def test_closing_leaves_nothing_behind(photo: bytes) -> None:
    threads, children = set(threading.enumerate()), set(multiprocessing.active_children())
    pool = DecoderPool(workers=2)
    futures: list[Future[DecodedPart]] = [pool.decode(DecodeRequest(photo, (SMALL,))) for _ in range(500)]
    futures[0].result(TIMEOUT_S)
    pool.close()
    pool.close()
    done, pending = wait(futures, timeout=TIMEOUT_S)
    assert not pending
    assert all(future.cancelled() or future.result().items for future in done)
    assert any(future.cancelled() for future in done)
    assert set(threading.enumerate()) == threads
    assert set(multiprocessing.active_children()) == children
    with pytest.raises(RuntimeError, match="closed"):
        pool.decode(DecodeRequest(photo))


def test_no_process_starts_before_the_first_task() -> None:
    children = set(multiprocessing.active_children())
    with DecoderPool(workers=2):
        assert set(multiprocessing.active_children()) == children


ENGINE = """
import sys, time
from app.engine.media.pool import DecoderPool
if __name__ == "__main__":
    pool = DecoderPool(workers=1)
    pool._bulk.submit(b"", max, 1, 2).result()
    print(*pool._bulk._pool._pool_manager.worker_manager.workers, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_children_end_when_the_engine_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "engine.py"
    script.write_text(ENGINE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as engine:
        assert engine.stdout is not None
        child_id = int(engine.stdout.readline())
        child = os.pidfd_open(child_id)
        try:
            engine.send_signal(signal.SIGKILL)
            engine.wait(TIMEOUT_S)
            assert select.select([child], [], [], TIMEOUT_S)[0], "the child outlived the engine"
        finally:
            os.close(child)


def test_codecs_complaints_reach_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with DecoderPool(workers=1) as pool:
        pool._bulk.submit(b"", os.system, "echo spoiled; echo spoiled >&2").result(TIMEOUT_S)
    assert capfd.readouterr() == ("", "")


def test_a_decoder_loads_no_neural_network() -> None:
    script = "import sys; import app.engine.media.pool; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    output = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "False"


@pytest.mark.shared_data
def test_every_odd_and_hostile_file_is_decoded_or_refused_with_a_reason(shared_data: Path) -> None:
    folders = ("images/odd", "hostile/images", "audio/formats", "video/containers", "video/codecs")
    files = [path for folder in folders for path in sorted((shared_data / folder).rglob("*.*")) if path.is_file()]
    media = [path for path in files if path.suffix != ".json"]
    assert len(media) > 120
    reasons: dict[str, str] = {}
    with DecoderPool(workers=1) as pool:
        futures = {
            path.relative_to(shared_data).as_posix(): pool.decode(
                DecodeRequest(os.fsencode(path), (SMALL,), (SoundInput(16_000),))
            )
            for path in media
        }
        for name, future in futures.items():
            error = future.exception(TIMEOUT_S)
            if error is None:
                part = future.result()
                assert part.items
                for item in part.items:
                    assert item.thumbnail
                    assert all(np.isfinite(samples).all() and samples.size for samples in item.inputs.values())
            else:
                assert isinstance(error, MediaUnreadable)
                reasons[name] = error.message
    assert sorted(reasons) == sorted(REFUSED)
    for name, words in REFUSED.items():
        assert words in reasons[name]


def test_what_was_decoded_is_freed_when_it_is_used_without_collecting_cycles(pool: DecoderPool, photo: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        used = [weakref.ref(pool.decode(DecodeRequest(photo, (SMALL,))).result(TIMEOUT_S)) for _ in range(20)]
        deadline_s = time.monotonic() + TIMEOUT_S
        while sum(part() is not None for part in used) > 1 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert sum(part() is not None for part in used) <= 1, "the last is let go when the next comes"
    finally:
        gc.enable()
