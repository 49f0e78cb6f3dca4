"""``semblance queries``, ``judge`` and ``evaluate --from-…``: sets of test queries from the command line."""

from __future__ import annotations

import io
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
    assert model["note"] == "Cannot search by words, so 2 queries are left out."


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


def test_a_query_is_retitled_and_given_guidelines(run: Run, pets: Path) -> None:
    _, kept = run("queries", "add", "--text", "a cat")
    number = str(kept["queries"][0]["id"])
    _, changed = run("queries", "change", number, "--title", "Cats", "--guidelines", "Kittens too")
    assert [(one["title"], one["guidelines"]) for one in changed["queries"]] == [("Cats", "Kittens too")]
    _, changed = run("queries", "change", number, "--guidelines", "")
    assert [(one["title"], one["guidelines"]) for one in changed["queries"]] == [("Cats", "")]
    for refused in (("999", "--title", "x"), (number,), (number, "--title", " ")):
        assert run("queries", "change", *refused)[0] == 1


def test_a_set_is_made_changed_and_removed(run: Run, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, made = run("queries", "add-set", "Pets", "--scale", "graded", "--guidelines", "Any pet")
    assert [(one["name"], one["scale"], one["guidelines"]) for one in made["sets"]] == [("Pets", "graded", "Any pet")]
    assert run("queries", "add-set", "pets")[0] == 1
    _, changed = run("queries", "change-set", "pets", "--rename", "Animals", "--scale", "binary", "--guidelines", "")
    assert [(one["name"], one["scale"], one["guidelines"]) for one in changed["sets"]] == [("Animals", "binary", "")]
    assert "--rename" in run("queries", "change-set", "Animals")[1]["error"]["message"]
    assert "“Animals”" in run("queries", "change-set", "Pets", "--scale", "graded")[1]["error"]["message"]

    run("queries", "add", "--text", "a cat", "--set", "Animals")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    status, document = run("queries", "remove-set", "animals")
    assert (status, document["error"]["title"]) == (1, "Nothing was removed")  # nobody is there to be asked
    assert "1 query and 0 judgments" in document["error"]["message"]
    status, document = run("queries", "remove-set", "animals", "--yes")
    assert (status, document) == (0, {"removed": "Animals", "queries": 1, "judgments": 0})
    assert [one["name"] for one in run("queries", "sets")[1]["sets"]] == ["Test queries"]


@pytest.mark.parametrize(("said", "is_removed"), [("y\n", True), ("\n", False)])
def test_a_person_is_asked_before_a_set_is_removed(
    run: Run, monkeypatch: pytest.MonkeyPatch, said: str, is_removed: bool
) -> None:
    run("queries", "add-set", "Pets")
    answers = io.StringIO(said)
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", answers)
    assert run("queries", "remove-set", "Pets")[0] == int(not is_removed)
    names = [one["name"] for one in run("queries", "sets")[1]["sets"]]
    assert names == ["Test queries", *([] if is_removed else ["Pets"])]


def test_a_set_is_graded_as_the_first_judgments_that_are_taken_in(run: Run, pets: Path) -> None:
    higher, lower = pets / "higher.qrels", pets / "lower.qrels"
    higher.write_text("image:cats/a.png 0 cats/b.png 3\nimage:cats/a.png 0 dogs/c.png 1\n")
    lower.write_text("image:cats/a.png 0 cats/b.png 1\n")
    for name in ("Graded", "Binary"):
        run("queries", "add-set", name)
    run("judge", "import", lower, "--set", "Binary")
    status, document = run("evaluate", "--qrels", higher)
    assert (status, "0 to 3" in document["taken_in"][0]["notes"][0]) == (0, True)
    _, taken = run("judge", "import", higher, "--set", "Graded")
    assert "0 to 3" in taken["notes"][0]
    _, taken = run("judge", "import", higher, "--set", "Binary", "--judge", "Ann")
    assert "`semblance queries change-set NAME --scale graded`" in taken["notes"][-1]
    scales = {one["name"]: one["scale"] for one in run("queries", "sets")[1]["sets"]}
    assert scales == {"Test queries": "graded", "Graded": "graded", "Binary": "binary"}


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
