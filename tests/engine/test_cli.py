"""The command line: one document on standard output, a status a script can trust, sentences on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.cli import documents
from app.cli.arguments import parser
from app.engine.session import Session

Make = Callable[..., Path]
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with ``--json``: its status, its document and what it wrote to standard error."""

    def call(*arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["semblance", *arguments, "--home", str(home), "--json"])
        status = main()
        out, err = capsys.readouterr()
        return status, json.loads(out), err

    return call


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command as a person does: what it wrote."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["semblance", *arguments, "--home", str(home)])
        main()
        out, err = capsys.readouterr()
        return " ".join((out + err).split())

    return call


def test_index_search_and_status(run: Run, photo: Make, sound: Make, tmp_path: Path) -> None:
    query, other = photo("a.png", 1), photo("b.png", 2)
    sound("c.wav")
    status, report, _ = run("index", str(tmp_path / "media"), "--models", "colour-texture,timbre")
    assert status == 0
    assert report["files"]["new"] == 3
    assert report["items"] == {"photo": 2, "frame": 0, "audio": 1}
    assert report["spaces"]["colour-texture"]["items"] == 2
    assert report["failures"] == []
    assert report["seconds"] > 0
    status, reply, _ = run("search", "--image", str(query), "-k", "3")
    assert status == 0
    assert reply["model"] == "colour-texture"
    (hit,) = reply["hits"]
    assert (hit["rank"], hit["path"], hit["kind"], hit["found_by"]) == (1, str(other), "photo", ["meaning"])
    assert (hit["start_ms"], hit["end_ms"]) == (None, None)
    assert set(reply["timings_ms"]) == {"encode", "neighbours", "total"}
    status, library, _ = run("status")
    assert (status, library["roots"][0]["files"], library["models"]) == (0, 3, ["colour-texture", "timbre"])


def test_search_by_sound_and_words_with_filters(run: Run, photo: Make, sound: Make, tmp_path: Path) -> None:
    photo("tree.png")
    tone = sound("tree.wav", 300)
    sound("other.wav", 310)
    run("index", str(tmp_path / "media"), "--models", "colour-texture,timbre")
    _, reply, _ = run("search", "--audio", str(tone))
    assert [Path(hit["path"]).name for hit in reply["hits"]] == ["other.wav"]
    _, reply, _ = run("search", "--text", "tree", "--kind", "audio")
    assert [Path(hit["path"]).name for hit in reply["hits"]] == ["tree.wav"]
    assert reply["hits"][0]["found_by"] == ["keywords"]
    _, reply, _ = run("search", "--text", "tree", "--before", "1999-12-31")
    assert reply["hits"] == []


def test_models_are_listed_with_what_they_lack(run: Run, home: Path) -> None:
    status, document, _ = run("models", "list")
    models = {model["key"]: model for model in document["models"]}
    assert status == 0
    assert {"clip-vit-b-32", "siglip2-b-16", "resnet50", "panns-cnn14", "colour-texture", "timbre"} <= set(models)
    assert models["timbre"]["ready"]
    assert not models["resnet50"]["ready"]
    assert str(home / "models" / "resnet50") in models["resnet50"]["problem"]


def test_judgments_in_measures_out(run: Run, photo: Make, tmp_path: Path) -> None:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    run("index", str(tmp_path / "media"), "--models", "colour-texture")
    status, document, _ = run("evaluate")
    assert (status, set(document["error"])) == (1, {"title", "message", "path"})
    qrels = tmp_path / "qrels.txt"
    qrels.write_text(f"image:{tmp_path}/media/0.png 0 {tmp_path}/media/1.png 1\n")
    status, taken, _ = run("judge", "import", str(qrels))
    assert (status, taken["imported"]) == (0, 1)
    status, document, _ = run("evaluate", "-k", "2")
    assert status == 0
    assert document["measures"] == ["P@2", "R@2", "F1@2", "Rprec", "AP", "RR", "nDCG@2", "Success@2", "Judged@2"]
    (model,) = document["models"]
    assert set(model["mean"]) == set(document["measures"])
    assert len(model["queries"][0]["hits"]) == 2
    status, written, _ = run("judge", "export", str(tmp_path / "out.txt"))
    assert (status, written["exported"]) == (0, 1)
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 1


def test_reports_and_exports(run: Run, say: Callable[..., str], photo: Make, tmp_path: Path) -> None:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    run("index", str(tmp_path / "media"), "--models", "colour-texture")
    qrels = tmp_path / "qrels.txt"
    qrels.write_text(f"image:{tmp_path}/media/0.png 0 {tmp_path}/media/1.png 1\n")
    run("judge", "import", str(qrels))
    page, folder = str(tmp_path / "report.html"), str(tmp_path / "export")
    status, written, _ = run("report", "--html", page, "-k", "2", "--no-pictures")
    assert (status, written["files"]) == (0, ["report.html"])
    status, document, _ = run("report", "--html", page)
    assert (status, document["error"]["path"]) == (1, page)
    assert run("report", "--html", page, "--replace")[0] == 0
    assert run("report", "--html", page, "--replace", "--set", "nothing")[0] == 1
    status, written, _ = run("report", "--export", folder, "--set", "test queries", "-k", "2")
    assert (status, "runs/colour-texture.run" in written["files"]) == (0, True)
    status, document, _ = run("report", "--recompute", folder)
    assert (status, document["same"], document["measures"][0]) == (0, True, "P@2")
    assert "to the last digit" in say("report", "--recompute", folder)
    status, taken, _ = run("--library", "other", "report", "--import", folder)
    assert (status, taken["imported"], taken["set"]) == (0, 1, "Test queries")
    assert "kept" in taken["notes"][-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("index", "/nowhere/at/all"), "no such folder"),
        (("index",), "Name a folder"),
        (("search",), "--text"),
        (("search", "--text", "a", "--after", "yesterday"), "2024-07-31"),
        (("search", "--image", "/nowhere.jpg"), "no such file"),
        (("search", "--text", "a", "--model", "gpt"), "gpt"),
        (("search", "--text", "a", "--model", "clip-vit-b-32"), "clip-vit-b-32"),
        (("judge", "import", "/nowhere.txt"), "nowhere.txt"),
    ],
)
def test_what_a_user_can_mend_is_an_error_document_and_status_1(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    status, document, err = run(*arguments)
    assert status == 1
    assert says in json.dumps(document["error"])
    assert document["error"]["title"] in err


@pytest.mark.parametrize(
    "arguments", [("search", "-k", "0"), ("search", "--kind", "cats"), ("dance",), ("models",), ("judge", "import")]
)
def test_a_wrong_command_line_is_status_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["semblance", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


@pytest.mark.parametrize("verb", ["models export-pack FILE", "models verify", "models install", "index"])
def test_options_may_stand_among_names(verb: str) -> None:
    before = [*verb.split(), "--home", "there", "--json", "ONE", "TWO", "THREE"]
    among = [*verb.split(), "ONE", "--home", "there", "TWO", "--json", "THREE"]
    assert parser().parse_args(among) == parser().parse_args(before)
    names = parser().parse_args([*verb.split(), "--", "-k"])
    assert ["-k"] in vars(names).values()


def test_options_may_stand_before_the_verb(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["semblance", "--home", str(home), "--library", "one", "--json", "status"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["name"] == "one"


@contextlib.contextmanager
def held_up(path: Path) -> Iterator[Callable[[], bool]]:
    """Whoever opens a file waits until the block is left; yields whether anybody does. Linux's leases (fcntl(2))."""
    import fcntl

    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # by which the holder is told
    with path.open("r+b") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield lambda: fcntl.fcntl(file, fcntl.F_GETLEASE) != fcntl.F_WRLCK
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    signal.signal(signal.SIGIO, before)


@pytest.mark.skipif(
    sys.platform != "linux", reason="an index is held up, so that it is under way when it is interrupted"
)
def test_an_interrupted_index_ends_with_130_and_goes_on_later(home: Path, photo: Make, tmp_path: Path) -> None:
    for seed in range(20):
        photo(f"{seed}.png", seed)
    command = [sys.executable, "-m", "app", "--home", str(home), "index", str(tmp_path / "media"), "--json"]
    command += ["--models", "colour-texture"]
    with held_up(tmp_path / "media" / "7.png") as is_reached:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not is_reached():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["error"]["title"] == "Interrupted"
    assert "kept" in err
    assert "Run it again to go on" in err
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["spaces"]["colour-texture"]["items"] == 20


def test_starting_loads_neither_torch_nor_qt() -> None:
    code = (
        "import sys, app.__main__, app.cli.arguments, app.cli.run;"
        "print([name for name in ('torch', 'PySide6', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_are_listed_while_the_library_is_in_use(run: Run, session: Session) -> None:
    status, document, _ = run("models", "list")
    assert (status, document["models"]) == (0, documents.models(session.models())["models"])


def test_a_reader_that_has_seen_enough_is_no_error(home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        command = [sys.executable, "-m", "app", "models", "list", "--json", "--home", str(home)]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("option", [("--before", "9999-12-31"), ("--after", "tomorrow")])
def test_a_day_no_calendar_has_is_refused(run: Run, option: tuple[str, str]) -> None:
    status, document, _ = run("search", "--text", "a", *option)
    assert (status, document["error"]["title"]) == (1, "This is not a date")


@pytest.mark.parametrize("option", [("--image-weight", "inf"), ("--at-ms", "9" * 30), ("--at-ms", "-1")])
def test_numbers_beyond_reason_are_a_wrong_command_line(run: Run, option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("search", "--image", "a.png", *option)
    assert ended.value.code == 2


def test_a_library_damaged_inside_is_a_sentence(
    run: Run, session: Session, index: Callable[..., object], photo: Make, home: Path
) -> None:
    photo("a.png")
    index()
    session.close()
    file = home / "libraries" / "default" / "library.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    status, document, _ = run("status")
    assert (status, document["error"]["title"]) == (1, "This library cannot be read")


def test_settings_are_shown_and_changed_one_by_one(run: Run) -> None:
    status, document, _ = run("settings")
    assert (status, document["frame_interval_ms"], document["excluded"]) == (0, 2_000, [])
    run("settings", "--exclude", "*.tmp", "--audio-window-s", "5", "--hidden")
    run("settings", "--exclude", " cache/* ", "--exclude", "*.tmp")
    run("settings", "--no-watch")
    _, document, _ = run("settings")
    assert document == {
        "frame_interval_ms": 2_000, "window_ms": 5_000, "excluded": ["*.tmp", "cache/*"],
        "hidden": True, "watch": False,
    }  # fmt: skip
    _, document, _ = run("settings", "--exclude-nothing", "--no-hidden")
    assert (document["excluded"], document["hidden"], document["window_ms"]) == ([], False, 5_000)


def test_patterns_are_added_and_taken_out_again(run: Run) -> None:
    run("settings", "--exclude", "a*", "--exclude", "b*")
    _, document, _ = run("settings", "--include", "a*", "--exclude", "c*")
    assert document["excluded"] == ["b*", "c*"]
    _, document, _ = run("settings", "--exclude-nothing", "--exclude", "d*")
    assert document["excluded"] == ["d*"]
    status, document, _ = run("settings", "--include", "b*")
    assert (status, document["error"]["title"]) == (1, "This pattern is not left out")
    with pytest.raises(SystemExit):
        run("settings", "--exclude", "  ")


def test_only_a_change_of_the_settings_is_said_to_be_due(say: Callable[..., str]) -> None:
    due = "The next `semblance index`"
    assert due in say("settings", "--exclude", "*.tmp")
    assert due not in say("settings", "--exclude", "*.tmp", "--frame-interval-s", "2")
    assert due not in say("settings", "--no-watch")
    assert due in say("settings", "--exclude-nothing")


def test_a_useless_interval_is_an_error_that_can_be_mended(run: Run) -> None:
    status, document, _ = run("settings", "--frame-interval-s", "0.1")
    assert status == 1
    assert "frame interval" in document["error"]["title"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("search", "-k", "many"), "argument -k: 'many' is no whole number"),
        (("search", "-k", "9" * 30), "argument -k: give a number from 1 to"),
        (("search", "--kind", "photo,musik"), "'musik' is no kind of file; choose from photo, video, audio"),
        (("search", "--kind", ","), "name a kind of file"),
        (("search", "--at-ms", "1.5"), "argument --at-ms: '1.5' is no whole number"),
        (("search", "--text-weight", "heavy"), "'heavy' is no number"),
        (("settings", "--frame-interval-s", "abc"), "argument --frame-interval-s: 'abc' is no number"),
        (("settings", "--exclude", ""), "a pattern cannot be empty"),
        (("bench", "--scale", "x"), "argument --scale: 'x' is no number"),
        (("bench", "--runs", "x"), "argument --runs: 'x' is no whole number"),
        (("models", "add", ""), "give the name of a file"),
        (("models", "import-pack", ""), "give the name of a file"),
        (("models", "export-pack", "", "timbre"), "give the name of a file"),
    ],
)
def test_a_wrong_value_is_told_in_a_persons_words(
    arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["semblance", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert says in err
    assert "invalid" not in err


def test_a_search_that_finds_nothing_says_why(say: Callable[..., str], photo: Make, tmp_path: Path) -> None:
    assert "holds nothing yet" in say("search", "--text", "tree")
    photo("in/tree.png")
    media = str(tmp_path / "media")
    say("index", media, "--models", "colour-texture")
    assert "Nothing in the library matches" in say("search", "--text", "cow")
    assert "loosen" in say("search", "--text", "tree", "--kind", "audio")
    assert "loosen" in say("search", "--text", "cow", "--under", f"{media}/in")
    assert "This folder is not in the library" in say("search", "--text", "tree", "--under", f"{media}/inn")
    assert "swap them" in say("search", "--text", "tree", "--after", "2024-02-01", "--before", "2024-01-31")
    assert "tree.png" in say("search", "--text", "tree", "--under", f"{media}/x/../in")


def test_a_folder_that_is_away_or_empty_is_told_of(say: Callable[..., str], photo: Make, tmp_path: Path) -> None:
    photo("a.png").rename(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "media" / "b.png")
    say("index", str(tmp_path / "media"), "--models", "colour-texture")
    (tmp_path / "media" / "b.png").unlink()
    assert "media is empty or not there now" in say("index")
    told = say("status")
    assert "it is empty or not there; its items are kept. If it lies elsewhere now, index it there" in told
    assert "`semblance forget FOLDER`" in told


def test_a_folder_is_forgotten_by_its_path(run: Run, photo: Make, tmp_path: Path) -> None:
    photo("a.png")
    run("index", str(tmp_path / "media"), "--models", "colour-texture")
    status, document, _ = run("forget", str(tmp_path / "media" / "x" / ".." / "."))
    assert (status, document["roots"]) == (0, [])
    status, document, _ = run("forget", str(tmp_path / "media"))
    assert status == 1
    assert "not in the library" in document["error"]["title"]


def test_what_a_model_computed_is_forgotten(run: Run, photo: Make, tmp_path: Path) -> None:
    photo("a.png")
    run("index", str(tmp_path / "media"), "--models", "colour-texture,timbre")
    status, document, _ = run("models", "forget", "colour-texture")
    assert (status, document["models"]) == (0, ["timbre"])
    assert run("models", "forget", "nobody")[0] == 1


def test_labels_are_chosen_and_listed(run: Run, say: Callable[..., str], tmp_path: Path) -> None:
    status, document, _ = run("labels", "set", "dog, red car,Dog")
    assert status == 0
    assert [label["name"] for label in document["labels"]] == ["dog", "red car"]
    listed = tmp_path / "labels.txt"
    listed.write_text("\ufeffcat\n\n  horse \n", "utf-8")
    run("labels", "set", "--file", str(listed))
    assert [label["name"] for label in run("labels", "list")[1]["labels"]] == ["cat", "horse"]
    assert "confidences are the model's own" in say("labels", "list")
    assert run("labels", "judge")[1]["queries"] == 2
    assert "asks for 2 labels" in say("labels", "judge")


def test_what_is_wrong_with_labels_is_told(run: Run, photo: Make, tmp_path: Path) -> None:
    assert "one a line" in run("labels", "assign")[1]["error"]["message"]
    run("labels", "set", "dog")
    for name, content in (("empty.txt", b"\n  \n"), ("latin.txt", "Äpfel".encode("latin-1"))):
        listed = tmp_path / name
        listed.write_bytes(content)
        status, document, _ = run("labels", "set", "--file", str(listed))
        assert (status, document["error"]["path"]) == (1, str(listed))
        assert "codec" not in document["error"]["message"]
        assert [label["name"] for label in run("labels", "list")[1]["labels"]] == ["dog"]
    assert run("labels", "clear")[1]["labels"] == []
    run("labels", "set", "dog")
    assert "Choose one under Models" in run("labels", "assign")[1]["error"]["message"]
    assert "most" in run("labels", "set", "x" * 101)[1]["error"]["message"]
    assert run("labels", "set", "--file", str(tmp_path / "none.txt"))[1]["error"]["path"].endswith("none.txt")
    file = photo("one.png")
    assert "Index it first" in run("labels", "of", str(file))[1]["error"]["message"]
    run("index", str(file.parent), "--models", "colour-texture")
    assert run("labels", "of", str(file))[1]["moments"] == []
    assert "labels list" in run("search", "--text", "one", "--label", "cat")[1]["error"]["message"]
    assert run("search", "--text", "one", "--label", "dog")[1]["hits"] == []


def test_what_a_report_would_ignore_is_refused(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(tmp_path / "export")
    for words in (
        ("--import", folder, "--set", "Mine"),
        ("--import", folder, "--judge", "Zed"),
        ("--recompute", folder, "-k", "3"),
        ("--recompute", folder, "--no-pictures"),
        ("--export", folder, "--title", "Mine"),
        ("--html", folder, "--as", "Zed"),
    ):
        with pytest.raises(SystemExit, match="2"):
            run("report", *words)
        assert f"{words[2]}: not allowed with {words[0]}" in capsys.readouterr().err


def test_sets_and_judges_are_named_alike_by_all_that_measure(run: Run, photo: Make, tmp_path: Path) -> None:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    run("index", str(tmp_path / "media"), "--models", "colour-texture")
    qrels = tmp_path / "qrels.txt"
    qrels.write_text(f"image:{tmp_path}/media/0.png 0 {tmp_path}/media/1.png 1\n")
    run("judge", "import", str(qrels), "--judge", "Ana")
    named = ("--set", "TEST queries ", "--judge", "Ana", "--measure", "AP")
    page = str(tmp_path / "page.html")
    assert run("evaluate", *named)[1]["measure"] == "AP"
    assert run("robustness", *named, "--disturbances", "picture-blur")[1]["measure"] == "AP"
    assert run("report", "--html", page, *named, "--measures", "nDCG@3")[0] == 0
    assert "nDCG@3" in Path(page).read_text(encoding="utf-8")
    for verb in (("evaluate",), ("robustness",), ("report", "--html", page, "--replace")):
        assert run(*verb, "--judge", "Bob")[0] == 1


def test_a_page_of_some_queries_alone(run: Run, photo: Make, tmp_path: Path) -> None:
    for seed in range(4):
        photo(f"{seed}.png", seed)
    run("index", str(tmp_path / "media"), "--models", "colour-texture")
    qrels = tmp_path / "qrels.txt"
    media = tmp_path / "media"
    qrels.write_text(f"image:{media}/0.png 0 {media}/1.png 1\nimage:{media}/2.png 0 {media}/3.png 1\n")
    run("judge", "import", str(qrels))
    listed = run("queries", "list")[1]["queries"]
    page = tmp_path / "page.html"
    for name in (str(listed[1]["id"]), listed[1]["title"].upper()):
        assert run("report", "--html", str(page), "--replace", "--query", name)[0] == 0
        assert page.read_text(encoding="utf-8").count('class="query"') == 1
    status, document, _ = run("report", "--html", str(page), "--replace", "--query", "nothing")
    assert (status, document["error"]["title"]) == (1, "There is no such query")
