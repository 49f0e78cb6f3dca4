"""A file that kills, hangs or floods its decoder, or is cut short, costs itself; the rest is indexed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import faulty
import pytest
from struck_pool import StruckPool

import app.engine.session
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session

STRIKES = {
    "segfault": "crashed",
    "abort": "crashed",
    "hang": "took longer",
    "spin": "took longer",
    "bomb": "more memory",
}
GOOD = 12
LARGE_BYTES = 300 << 10
"""Larger files are cut at a few kilobytes only: every cut of one costs as much as many of a small one."""


def index_with(pool: object, home: Path, media: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Index through real children; the failures by file name."""
    monkeypatch.setattr(app.engine.session, "DecoderPool", lambda: pool)
    with Session.open(home, encoders=faulty.TinySource()) as session:
        report = session.index(IndexRequest((str(media),), faulty.MODELS))
        assert report.files.failed == len(report.failures)
        return {Path(failure.path).name: failure.reason for failure in report.failures}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_what_strikes_a_decoder_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, media = tmp_path / "home", tmp_path / "media"
    for seed in range(GOOD):
        faulty.write_photo(media / f"{'abhs'[seed % 4]} good {seed}.png", seed)
    for seed, name in enumerate(STRIKES):
        faulty.write_photo(media / f"{name}.png", 100 + seed)
    failures = index_with(StruckPool(workers=1, time_limit_s=2.0), home, media, monkeypatch)
    assert sorted(failures) == sorted(f"{name}.png" for name in STRIKES)
    for name, words in STRIKES.items():
        assert words in failures[f"{name}.png"]
    assert faulty.rows(home)["vectors"] == GOOD


@pytest.mark.shared_data
@pytest.mark.parametrize("step_bytes", [8 << 10, pytest.param(1 << 10, marks=pytest.mark.lengthy)])
def test_every_odd_and_hostile_file_cut_anywhere_is_decoded_or_refused(
    step_bytes: int, shared_data: Path, environment: dict[str, str]
) -> None:
    folders = (shared_data / "hostile", shared_data / "images" / "odd")
    files = [path for folder in folders for path in sorted(folder.rglob("*.*")) if path.suffix not in (".json", ".md")]
    assert len(files) > 90
    child = subprocess.run(
        [sys.executable, Path(__file__).parents[1] / "support" / "cut.py", str(step_bytes), str(LARGE_BYTES), *files],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, f"a decoder crashed: {child.stderr[-2000:]}"
    outcomes = [json.loads(line) for line in child.stdout.splitlines()]
    assert [name for name, *_ in outcomes] == list(map(str, files))
    assert [outcome for outcome in outcomes if outcome[3]] == []
    decoded, refused = sum(outcome[1] for outcome in outcomes), sum(outcome[2] for outcome in outcomes)
    assert decoded > len(files)
    assert refused > len(files)


@pytest.mark.shared_data
def test_files_cut_short_are_indexed_or_listed_with_a_reason(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, media = tmp_path / "home", tmp_path / "media"
    media.mkdir()
    for folder in (shared_data / "hostile" / "images", shared_data / "images" / "odd"):
        for number, path in enumerate(sorted(folder.rglob("*.*"))[::5]):
            content = path.read_bytes()[: 1024 * (1 + number % 7)]
            (media / f"{number} {path.name}").write_bytes(content + os.urandom(8))  # so that no two are the same
    faulty.write_photo(media / "good.png", 1)
    entries = len(list(media.iterdir()))
    failures = index_with(app.engine.session.DecoderPool(workers=1), home, media, monkeypatch)
    assert 0 < len(failures) < entries
    assert all(reason.endswith(".") for reason in failures.values())
    assert "good.png" not in failures
    with Session.open(home, encoders=faulty.TinySource()) as session:
        status = session.status()
        assert sum(status.kinds.values()) + len(failures) == entries
    faulty.assert_consistent(home)
