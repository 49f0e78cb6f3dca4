"""``semblance queries``, ``judge`` and ``evaluate --from-…``: sets of test queries from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main

MakePhoto = Callable[..., Path]
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with ``--json``: its status and its document."""

    def call(*arguments: str | Path) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["semblance", *map(str, arguments), "--home", str(home), "--json"])
        status = main()
        return status, json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def pets(run: Run, photo: MakePhoto, tmp_path: Path) -> Path:
    """Two cats and two dogs, indexed."""
    for seed, name in enumerate(("cats/a.png", "cats/b.png", "dogs/c.png", "dogs/d.png")):
        photo(name, seed)
    run("index", tmp_path / "media", "--models", "colour-texture")
    return tmp_path / "media"


def test_classes_are_taken_in_and_measured_in_one_go(run: Run, pets: Path, photo: MakePhoto) -> None:
    photo("dogs/new.png", 9)
    status, document = run("evaluate", "--from-folders", pets, "-k", "3")
    assert status == 0
    (taken,) = document["taken_in"]
    assert (taken["set"], taken["queries"], taken["imported"], taken["unknown"]) == ("media", 4, 12, ["dogs/new.png"])
    assert "Import the folder again later" in taken["notes"][0]
    assert taken["notes"][1] == f"To index them: semblance index {pets}"
    (model,) = document["models"]
    assert model["queries_answered"] == 4
    assert model["mean"]["P@3"] == pytest.approx(1 / 3)
    assert model["mean"]["Judged@3"] == 1.0


def test_captions_and_judgments_go_into_one_set(run: Run, pets: Path) -> None:
    (pets / "said.csv").write_text("file,caption\ncats/a.png,a cat\n")
    (pets / "more.qrels").write_text("text:a%20cat 0 cats/b.png 1\ntext:a%20dog 0 dogs/c.png 1\n")
    status, document = run("evaluate", "--from-captions", pets / "said.csv", "--qrels", pets / "more.qrels")
    assert status == 0
    assert [taken["set"] for taken in document["taken_in"]] == ["said", "said"]
    (model,) = document["models"]
    assert sorted(model["unanswered"]) == ["a cat", "a dog"]  # colours know no words


def test_what_is_not_indexed_is_said_with_the_command_that_helps(run: Run, photo: MakePhoto, tmp_path: Path) -> None:
    photo("cats/a.png")
    (tmp_path / "media" / "said.csv").write_text("file,caption\ncats/a.png,a cat\n")
    for arguments in (("--from-folders", tmp_path / "media"), ("--from-captions", tmp_path / "media" / "said.csv")):
        status, document = run("evaluate", *arguments)
        assert status == 1
        assert document["error"]["message"] == f"Index it first: semblance index {tmp_path / 'media'}"


def test_queries_are_kept_listed_and_removed(run: Run, pets: Path) -> None:
    _, kept = run("queries", "add", "--text", "a cat", "--set", "Pets", "--guidelines", "Any cat")
    _, other = run("queries", "add", "--image", pets / "cats/a.png")
    assert kept["queries"][0]["guidelines"] == "Any cat"
    _, sets = run("queries", "sets")
    assert [(one["name"], one["queries"]) for one in sets["sets"]] == [("Test queries", 1), ("Pets", 1)]
    _, listed = run("queries", "list", "--set", "pets")
    assert [one["title"] for one in listed["queries"]] == ["a cat"]
    status, removed = run("queries", "remove", str(other["queries"][0]["id"]))
    assert (status, len(removed["removed"])) == (0, 1)
    assert run("queries", "remove", "999")[0] == 1
    assert run("queries", "add")[0] == 1
    assert "“Pets”" in run("queries", "list", "--set", "nothing")[1]["error"]["message"]


def test_topics_and_their_judgments_go_in_and_out_by_set_and_judge(run: Run, pets: Path, tmp_path: Path) -> None:
    (pets / "topics.tsv").write_text("7\ta cat\n")
    (pets / "topics.qrels").write_text("7 0 cats/a.png 1\n7 0 dogs/c.png 0\n")
    _, taken = run("queries", "import-topics", pets / "topics.tsv", "--set", "Track")
    assert (taken["set"], taken["queries"]) == ("Track", 1)
    _, taken = run("judge", "import", pets / "topics.qrels", "--set", "Track", "--judge", "NIST")
    assert (taken["imported"], taken["unknown"]) == (2, [])
    for judge, count in (("NIST", 2), ("", 0)):
        _, written = run("judge", "export", tmp_path / f"out{judge}", "--set", "Track", "--judge", judge)
        assert written["exported"] == count
    assert run("judge", "export", tmp_path / "out")[0] == 1
    assert (tmp_path / "out").read_text() == ""
    assert run("judge", "export", tmp_path / "out", "--replace")[1]["exported"] == 2
    assert run("judge", "export", tmp_path / "more", "--judge", "nist")[1]["exported"] == 2
    assert "“NIST”" in run("judge", "export", tmp_path / "none", "--judge", "Nobody")[1]["error"]["message"]


@pytest.mark.parametrize("verb", ["import-folders", "import-captions"])
def test_imports_are_verbs_of_their_own(run: Run, pets: Path, verb: str) -> None:
    (pets / "said.csv").write_text("file,caption\ncats/a.png,a cat\n")
    status, taken = run("queries", verb, pets if verb == "import-folders" else pets / "said.csv", "--set", "Mine")
    assert (status, taken["set"]) == (0, "Mine")


def test_what_is_measured_by_goes_into_the_set_and_to_the_judge_that_are_named(run: Run, pets: Path) -> None:
    run("queries", "add", "--text", "a bird", "--set", "Mine")
    status, document = run("evaluate", "--from-folders", pets, "--set", "mine")
    assert (status, [taken["set"] for taken in document["taken_in"]]) == (0, ["Mine"])
    (pets / "x.qrels").write_text("image:cats/a.png 0 cats/b.png 1\n")
    status, document = run("evaluate", "--qrels", pets / "x.qrels", "--judge", "Ann")
    assert (status, document["taken_in"][0]["imported"]) == (0, 1)
    assert run("evaluate", "--judge", "ann")[0] == 0
    status, document = run("evaluate", "--judge", "Bob")
    assert status == 1
    assert "“Ann”" in document["error"]["message"]
    assert "“imported”" in document["error"]["message"]


def test_a_folder_of_examples_is_taken_in_with_nothing_judged(run: Run, pets: Path) -> None:
    status, taken = run("queries", "import-examples", pets / "cats", "--set", "Examples")
    assert (status, taken["set"], taken["queries"], taken["imported"]) == (0, "Examples", 2, 0)
    assert run("queries", "import-examples", pets / "cats", "--set", "Examples")[1]["queries"] == 0
