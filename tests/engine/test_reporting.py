"""An evaluation goes to paper and to other libraries: nothing is lost, nothing is changed, nothing is trusted."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ir_measures
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.errors import AppError
from app.engine.evaltypes import EvaluationRequest, ReportRequest
from app.engine.evaluation.report.exchange import figures
from app.engine.jobs import Cancelled, Job
from app.engine.judgingtypes import QuerySummary, Scale
from app.engine.librarytypes import IndexReport, IndexRequest
from app.engine.recomputing import recompute
from app.engine.session import Session
from app.engine.types import Query

Index = Callable[..., IndexReport]
Make = Callable[..., Path]

SHOWN = ReportRequest(EvaluationRequest(k=5, costs=False))
BUILT_IN = ("colour-texture", "timbre")


@pytest.fixture
def judged(session: Session, index: Index, photo: Make, sound: Make) -> tuple[QuerySummary, ...]:
    """Three queries, of two kinds, judged by two people, with marks."""
    for seed in range(12):
        photo(f"{'good' if seed % 2 else 'bad'}/{seed}.png", seed)
    for number in range(6):
        sound(f"tones/{number}.wav", 300.0 + 90 * number)
    index()
    media = photo("good/1.png", 1).parent.parent
    asked = (
        Query.of_image(str(media / "good" / "1.png")),
        Query.of_image(str(media / "bad" / "0.png")),
        Query.of_sound(str(media / "tones" / "0.wav")),
    )
    queries = tuple(session.evaluations.add_query(one) for one in asked)
    session.evaluations.change_query(queries[0].id, "“Best”, naïvely", "Only the <b>best</b>.", {"de": "Beste"})
    for query in queries:
        for place, one in enumerate(session.evaluations.pool(query.id).items):
            session.evaluations.judge(query.id, one.item.item_id, (1, 0, 0, 1, -1, -2)[place % 6])
            if place % 2:
                session.evaluations.judge(query.id, one.item.item_id, 1 if place % 3 else 0, "Ana")
    return queries


@pytest.fixture
def export(session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path) -> Path:
    session.evaluations.export(str(tmp_path / "export"), SHOWN)
    return tmp_path / "export"


def test_a_report_is_one_file_that_asks_for_nothing(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    written = session.evaluations.write_report(str(path), SHOWN)
    page = path.read_text(encoding="utf-8")
    assert written.size_bytes == path.stat().st_size
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not [link for link in ("src=", "http://", "https://") if link in page.replace("http://www.w3.org/", "")]
    assert "✅" in page
    assert "data:image/jpeg" in page
    assert "data:image/png" in page  # a waveform
    assert "Only the &lt;b&gt;best&lt;/b&gt;." in page
    assert str(tmp_path) not in page


def test_a_report_can_go_without_pictures(session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path) -> None:
    session.evaluations.write_report(str(tmp_path / "r.html"), ReportRequest(SHOWN.evaluation, pictures=False))
    assert "data:image/jpeg" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_an_export_computes_again_to_the_last_digit_from_itself_alone(export: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "home")
    shutil.rmtree(tmp_path / "media")
    found = recompute(str(export))
    assert found.differences == ()
    assert {model.model: len(model.queries) for model in found.evaluation.models} == {BUILT_IN[0]: 2, BUILT_IN[1]: 1}
    assert any(model.thresholds for model in found.evaluation.models)


def test_the_agreement_of_judges_is_computed_again_too(export: Path) -> None:
    document = json.loads((export / "evaluation.json").read_text(encoding="utf-8"))
    (agreement,) = document["figures"]["agreements"]
    assert agreement["items"] > 3
    agreement["kappa"] = 0.99
    (export / "evaluation.json").write_text(json.dumps(document), encoding="utf-8")
    (line,) = recompute(str(export)).differences
    assert "kappa" in line


def test_rankings_are_in_a_document_for_each_model(export: Path) -> None:
    document = json.loads((export / "evaluation.json").read_text(encoding="utf-8"))
    assert [run["model"] for run in document["runs"]] == list(BUILT_IN)
    for run in document["runs"]:
        found = json.loads((export / "rankings" / f"{run['rankings']}.json").read_text(encoding="utf-8"))
        assert set(found["rankings"]) == set(
            next(model for model in document["figures"]["models"] if model["model"] == run["model"])["queries"]
        )
    there = {one.relative_to(export).as_posix() for one in export.rglob("*") if one.is_file()}
    assert set(document["written"]) == there


def test_a_changed_figure_is_found(export: Path) -> None:
    document = json.loads((export / "evaluation.json").read_text(encoding="utf-8"))
    document["figures"]["models"][0]["measures"]["P@5"]["value"] += 1e-15
    (export / "evaluation.json").write_text(json.dumps(document), encoding="utf-8")
    (line,) = recompute(str(export)).differences
    assert "P@5" in line


def test_trec_tools_find_the_same_measures_in_the_files(session: Session, export: Path) -> None:
    document = json.loads((export / "evaluation.json").read_text(encoding="utf-8"))
    for model in document["figures"]["models"]:
        qrels = list(ir_measures.read_trec_qrels(str(export / "runs" / f"{model['model']}.qrels")))
        run = list(ir_measures.read_trec_run(str(export / "runs" / f"{model['model']}.run")))
        names = [name for name in model["measures"] if not name.startswith("F1@")]
        measures = [ir_measures.parse_measure(name) for name in names]
        theirs = ir_measures.calc_aggregate(measures, qrels, run)
        for name, measure in zip(names, measures, strict=True):
            assert theirs[measure] == pytest.approx(model["measures"][name]["value"], abs=1e-12)
        for one in ir_measures.iter_calc(measures, qrels, run):
            assert one.value == pytest.approx(model["queries"][one.query_id][str(one.measure)], abs=1e-12)


def test_another_library_takes_an_export_in_and_measures_the_same(
    session: Session, export: Path, home: Path, tmp_path: Path
) -> None:
    here = session.evaluations.evaluate(SHOWN.evaluation)
    asked = session.evaluations.queries()
    session.close()
    shutil.copytree(tmp_path / "media", tmp_path / "elsewhere", copy_function=shutil.copy)
    shutil.rmtree(tmp_path / "media")
    with Session.open(home, "second", device="cpu") as other:
        other.index(IndexRequest((str(tmp_path / "elsewhere"),), BUILT_IN))
        taken = other.evaluations.import_export(str(export))
        there = other.evaluations.evaluate(SHOWN.evaluation)
        kept = other.evaluations.queries()
        (of_set,) = [one for one in other.evaluations.sets() if one.id == taken.set_id]
    assert (taken.queries, taken.unknown) == (3, ())
    assert taken.notes == ("Judgments without a name came in as yours. Use --as NAME where they are not.",)
    assert figures(there) == figures(here)
    for before, after in zip(asked, kept, strict=True):
        same = ("key", "title", "guidelines", "translations", "relevant", "judged", "unsure", "later")
        assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
    assert of_set.judges == ("", "Ana")


def test_an_export_by_one_judge_computes_again_however_the_name_is_written(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path
) -> None:
    request = ReportRequest(EvaluationRequest(k=5, costs=False, judge=" ANA"))
    session.evaluations.export(str(tmp_path / "export"), request)
    found = recompute(str(tmp_path / "export"))
    assert found.differences == ()
    assert any(query.judged for query in found.evaluation.queries)


def test_an_import_twice_changes_nothing(session: Session, export: Path) -> None:
    sets, queries = session.evaluations.sets(), session.evaluations.queries()
    taken = session.evaluations.import_export(str(export))
    assert "merged" in taken.notes[0]
    assert (session.evaluations.sets(), session.evaluations.queries()) == (sets, queries)


def test_a_set_that_was_judged_otherwise_stays_and_the_other_comes_beside_it(
    session: Session, judged: tuple[QuerySummary, ...], export: Path
) -> None:
    item = next(one.item for one in session.evaluations.pool(judged[0].id, judge="Ana").items if one.grade == 1)
    session.evaluations.judge(judged[0].id, item.item_id, 0, "Ana")
    before = session.evaluations.queries()
    taken = session.evaluations.import_export(str(export))
    assert taken.set_name == "Test queries (2)"
    assert "otherwise" in taken.notes[0]
    assert session.evaluations.queries(before[0].set_id) == before
    assert len(session.evaluations.queries(taken.set_id)) == 3


def test_what_is_not_here_is_kept_and_named(session: Session, export: Path, home: Path, tmp_path: Path) -> None:
    with Session.open(home, "empty", device="cpu") as other:
        taken = other.evaluations.import_export(str(export))
        (of_set,) = [one for one in other.evaluations.sets() if one.id == taken.set_id]
        assert len([name for name in taken.unknown if name.startswith(("image:", "sound:"))]) == 3
        assert (of_set.queries, of_set.judgments) == (3, taken.judgments)
        other.index(IndexRequest((str(tmp_path / "media"),), BUILT_IN))
        assert figures(other.evaluations.evaluate(SHOWN.evaluation)) == figures(
            session.evaluations.evaluate(SHOWN.evaluation)
        )


def test_judgments_of_files_that_are_gone_go_along_and_count_nowhere(
    session: Session, judged: tuple[QuerySummary, ...], index: Index, tmp_path: Path
) -> None:
    item = next(one.item for one in session.evaluations.pool(judged[0].id).items if one.grade == 1)
    Path(item.path).unlink()
    index()
    session.evaluations.export(str(tmp_path / "export"), SHOWN)
    found = recompute(str(tmp_path / "export"))
    document = json.loads((tmp_path / "export" / "evaluation.json").read_text(encoding="utf-8"))
    assert found.differences == ()
    assert document["absent"]


def test_an_export_names_no_place_outside_the_library(export: Path, tmp_path: Path) -> None:
    for file in export.rglob("*"):
        assert not file.is_file() or str(tmp_path) not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("write", ["write_report", "export"])
def test_what_has_the_name_stays_unless_it_is_to_give_way(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path, write: str
) -> None:
    path = tmp_path / "out"
    first = getattr(session.evaluations, write)(str(path), SHOWN)
    with pytest.raises(AppError, match="taken"):
        getattr(session.evaluations, write)(str(path), SHOWN)
    assert getattr(session.evaluations, write)(str(path), SHOWN, True).files == first.files
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_what_came_into_an_export_is_never_replaced(
    session: Session, judged: tuple[QuerySummary, ...], export: Path
) -> None:
    (export / ".DS_Store").write_text("")
    session.evaluations.export(str(export), SHOWN, True)
    (export / "runs" / "my notes.txt").write_text("years of work")
    with pytest.raises(AppError, match="my notes"):
        session.evaluations.export(str(export), SHOWN, True)
    assert (export / "runs" / "my notes.txt").read_text() == "years of work"


def _when(phase: str, happens: Callable[[], object]) -> Job:
    """A job in whose phase something happens, once."""
    rest = [happens]
    return Job(lambda progress: rest.pop()() if progress.phase == phase and rest else None)


@pytest.mark.parametrize("phase", ["Measuring", "Timing searches", "Writing the export"])
@pytest.mark.parametrize("event", ["judge", "forget", "query"])
def test_whatever_happens_meanwhile_an_export_is_of_one_moment(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path, phase: str, event: str
) -> None:
    item = next(one.item for one in session.evaluations.pool(judged[0].id).items if one.grade == 1)
    happens = {
        "judge": lambda: session.evaluations.judge(judged[0].id, item.item_id, 0),
        "forget": lambda: session.forget_root(str(tmp_path / "media")),
        "query": lambda: session.evaluations.remove_query(judged[0].id),
    }
    request = ReportRequest(EvaluationRequest(k=5, costs=False))
    job = _when(phase, happens[event])
    session.evaluations.export(str(tmp_path / "export"), request, job=job)
    assert recompute(str(tmp_path / "export")).differences == ()


def test_a_folder_of_something_else_is_never_replaced(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("years of work")
    with pytest.raises(AppError, match="another folder"):
        session.evaluations.export(str(tmp_path / "own"), SHOWN, True)
    assert (tmp_path / "own" / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_told_and_leaves_nothing(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("app.engine.wholefiles.os.fsync", full)
    for write, name in ((session.evaluations.write_report, "r.html"), (session.evaluations.export, "e")):
        with pytest.raises(AppError, match="disk is full"):
            write(str(tmp_path / "out" / name) if (tmp_path / "out").is_dir() else str(tmp_path / name), SHOWN)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home", "media"]


def test_a_cancelled_export_leaves_nothing(session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path) -> None:
    job = Job(lambda progress: job.cancel() if progress.phase == "Writing the export" else None)
    with pytest.raises(Cancelled):
        session.evaluations.export(str(tmp_path / "e"), SHOWN, job=job)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home", "media"]


def test_several_sets_are_no_export_and_nothing_judged_is_no_report(
    session: Session, judged: tuple[QuerySummary, ...], tmp_path: Path
) -> None:
    other = session.evaluations.create_set("Other", Scale.GRADED)
    with pytest.raises(AppError, match="Nothing is judged"):
        session.evaluations.write_report(
            str(tmp_path / "r.html"), ReportRequest(EvaluationRequest(set_id=other.id, costs=False))
        )
    query = session.evaluations.add_query(judged[0].query, set_id=other.id)
    session.evaluations.judge(query.id, session.evaluations.pool(query.id).items[0].item.item_id, 3)
    with pytest.raises(AppError, match="Several sets"):
        session.evaluations.export(str(tmp_path / "e"), SHOWN)
    session.evaluations.write_report(str(tmp_path / "r.html"), SHOWN)


def _broken(document: dict[str, Any], where: str) -> dict[str, Any]:
    match where:
        case "format":
            document["format"] = "something"
        case "newer":
            document["format_version"] = 99
        case "grade":
            document["judgments"][0]["grades"][0] = 17
        case "document":
            document["documents"][0] = "../../etc/passwd"
        case "number":
            document["judgments"][0]["documents"][0] = -1
        case "key":
            document["queries"][0]["key"] = "text:other"
        case "missing":
            del document["judgments"]
        case "list":
            document["queries"] = {"a": 1}
    return document


@pytest.mark.parametrize("where", ["format", "newer", "grade", "document", "number", "key", "missing", "list"])
def test_a_damaged_export_is_refused_and_changes_nothing(session: Session, export: Path, where: str) -> None:
    file = export / "evaluation.json"
    file.write_text(json.dumps(_broken(json.loads(file.read_text(encoding="utf-8")), where)), encoding="utf-8")
    sets = session.evaluations.sets()
    for use in (session.evaluations.import_export, recompute):
        with pytest.raises(AppError):
            use(str(export))
    assert session.evaluations.sets() == sets


def test_what_an_owner_judged_elsewhere_does_not_become_mine_silently(
    session: Session, judged: tuple[QuerySummary, ...], export: Path, home: Path, tmp_path: Path
) -> None:
    def judges_after(library: str, owner: str | None = None) -> tuple[tuple[str, ...], str]:
        with Session.open(home, library, device="cpu") as other:
            if library == "mine":
                other.index(IndexRequest((str(tmp_path / "media"),), BUILT_IN))
                query = other.evaluations.add_query(judged[0].query)
                for one in other.evaluations.pool(query.id).items:
                    other.evaluations.judge(query.id, one.item.item_id, 0)
            taken = other.evaluations.import_export(str(export), owner)
            (of_set,) = [one for one in other.evaluations.sets() if one.id == taken.set_id]
            return of_set.judges, taken.notes[-1]

    assert judges_after("empty")[0] == ("", "Ana")
    assert judges_after("named", " Zed ")[0] == ("Ana", "Zed")
    assert judges_after("one", "Ana")[0] == ("Ana",)
    judges, note = judges_after("mine")
    assert judges == ("", "Ana", "owner of default")
    assert "--as ''" in note
    with pytest.raises(AppError, match="too long"):
        session.evaluations.import_export(str(export), "Z" * 61)
    with pytest.raises(AppError, match="no person"):
        session.evaluations.import_export(str(export), "Imported")


def test_a_damaged_ranking_is_found_when_it_is_needed(session: Session, export: Path) -> None:
    file = export / "rankings" / f"{BUILT_IN[0]}.json"
    whole = file.read_text(encoding="utf-8")
    for damage in (
        lambda document: next(iter(document["rankings"].values()))["similarities"].insert(0, "0.5"),
        lambda document: next(iter(document["rankings"].values()))["documents"].__setitem__(0, 10**6),
        lambda document: document["rankings"].update({"text:other": {"documents": [], "similarities": []}}),
        lambda document: document.pop("documents"),
    ):
        document = json.loads(whole)
        damage(document)
        file.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(AppError):
            recompute(str(export))
    file.unlink()
    with pytest.raises(AppError):
        recompute(str(export))
    session.evaluations.import_export(str(export))  # needs no ranking


def _paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in places:
        yield from _paths(inner, (*here, place))


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 2**63, float("nan"), float("inf"), 5e-324, -0.0, 1e308])
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5)
    | st.sampled_from(["zz", "\ud800", "fast", "text", "P@0", "P@99999999999", "..", "\0"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_an_export_it_is_taken_or_refused_in_a_sentence(
    session: Session, export: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["evaluation.json", f"rankings/{BUILT_IN[0]}.json"]))
    whole = (export / name).read_text(encoding="utf-8")
    document = json.loads(whole)
    fields = {tuple(step for step in path if isinstance(step, str)): path for path in _paths(document) if path}
    path = data.draw(st.sampled_from(sorted(fields.values(), key=str)))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = data.draw(ANY_JSON)
    try:
        (export / name).write_text(json.dumps(document), encoding="utf-8")
        for use in (recompute, session.evaluations.import_export):
            with contextlib.suppress(AppError):
                use(str(export))
    finally:
        (export / name).write_text(whole, encoding="utf-8")


def test_what_is_no_export_is_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("[" * 100_000)
    (tmp_path / "binary.json").write_bytes(b"\xff\x00")
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "text.json", tmp_path / "binary.json"):
        with pytest.raises(AppError):
            session.evaluations.import_export(str(path))
