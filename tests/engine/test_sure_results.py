"""Only sure results: a threshold from the judgments leaves out what lies below it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hues import HUES, MODEL, coloured, judge_all
from PIL import Image

from app.cli.arguments import parser
from app.cli.run import run as run_command
from app.engine.evaltypes import EvaluationRequest
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import FoundBy, Modality, Query, QueryPart, SearchRequest


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Iterator[Session]:
    """Photos of three colours of which nothing is judged yet."""
    media = tmp_path / "media"
    for hue in HUES:
        for number in range(8):
            coloured(media, f"{hue}-{number}.png", hue, number)
    with Session.open(home, device="cpu") as session:
        session.index(IndexRequest((str(media),), (MODEL,)))
        yield session


def asked(session: Session, photo: Path, min_precision: float | None = 0.9) -> tuple[set[str], str]:
    request = SearchRequest(Query.of_image(str(photo)), k=100, min_precision=min_precision)
    reply = session.search(request)
    return {Path(hit.path).name.split("-")[0] for hit in reply.hits}, reply.note


def test_results_below_the_threshold_are_left_out_once_enough_is_judged(library: Session, tmp_path: Path) -> None:
    photo = tmp_path / "media" / "green-3.png"
    everything, note = asked(library, photo)
    assert everything == set(HUES)
    assert "could not be left out: Only 0 results are judged" in note
    for hue in HUES:
        judge_all(library, tmp_path / "media" / f"{hue}-0.png", hue)
    assert asked(library, photo) == ({"green"}, "")
    assert asked(library, photo, None)[0] == set(HUES)


def test_where_nothing_is_similar_enough_that_is_said(
    library: Session, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for hue in HUES:
        judge_all(library, tmp_path / "media" / f"{hue}-0.png", hue)
    Image.new("RGB", (48, 48), "white").save(tmp_path / "white.png")
    request = SearchRequest(Query.of_image(str(tmp_path / "white.png")), min_precision=0.9)
    everything = library.search(replace(request, min_precision=None))
    reply = library.search(request)
    assert (reply.hits, reply.all_unsure, everything.all_unsure) == ((), True, False)
    assert "No picture is similar enough to be right in 90% of cases" in reply.note
    assert reply.note.endswith(f"and the most similar one has {everything.hits[0].similarity:.3f}.")
    library.close()
    words = ["--home", str(home), "search", "--image", str(tmp_path / "white.png"), "--min-precision", "0.9"]
    assert run_command(parser().parse_args(words)) == 0
    said = capsys.readouterr().out
    assert "No picture is similar enough" in said
    assert "leave out --min-precision" in said


def test_the_threshold_is_the_evaluations_and_follows_new_judgments(library: Session, tmp_path: Path) -> None:
    media = tmp_path / "media"
    queries = [judge_all(library, media / f"{hue}-0.png", hue) for hue in HUES]
    request = SearchRequest(Query.of_image(str(media / "red-1.png")), k=100, min_precision=0.9)
    (threshold,) = library.evaluations.evaluate(EvaluationRequest((MODEL,), costs=False)).models[0].thresholds
    assert threshold.modality is Modality.IMAGE
    assert threshold.observed is not None
    assert threshold.observed >= 0.9
    assert threshold.similarity is not None
    assert min(hit.similarity for hit in library.search(request).hits if hit.similarity) >= threshold.similarity
    for query in queries:
        for one in library.evaluations.pool(query, (MODEL,), depth=100).items:
            library.evaluations.judge(query, one.item.item_id, 0)
    reply = library.search(request)
    assert "No similarity is high enough for 90%" in reply.note
    assert len(reply.hits) == 23


def test_judging_the_relevant_alone_tells_no_threshold(library: Session, tmp_path: Path) -> None:
    for hue in HUES:
        query = library.evaluations.add_query(Query.of_image(str(tmp_path / "media" / f"{hue}-0.png")))
        for one in library.evaluations.pool(query.id, (MODEL,), depth=100).items:
            if Path(one.item.path).name.startswith(hue):
                library.evaluations.judge(query.id, one.item.item_id, 1)
    hues, note = asked(library, tmp_path / "media" / "green-3.png")
    assert hues == set(HUES)
    assert "All results judged so far are relevant" in note


def test_a_threshold_follows_the_files(library: Session, tmp_path: Path) -> None:
    """With most of the files away little is known; once they are back, all is as before."""
    media, away = tmp_path / "media", tmp_path / "away"
    for hue in HUES:
        judge_all(library, media / f"{hue}-0.png", hue)
    photo = media / "green-3.png"
    media.rename(away)
    media.mkdir()
    shutil.copy(away / photo.name, photo)
    library.index(IndexRequest((str(media),), (MODEL,)))
    assert "could not be left out" in asked(library, photo)[1]
    for one in away.iterdir():
        shutil.copy(one, media / one.name)
    library.index(IndexRequest((str(media),), (MODEL,)))
    assert asked(library, photo) == ({"green"}, "")


def test_a_query_whose_file_comes_back_counts_again(home: Path, library: Session, tmp_path: Path) -> None:
    queries, away = tmp_path / "queries", tmp_path / "away"
    for hue in HUES:
        judge_all(library, coloured(queries, f"{hue}.png", hue, 50), hue)
    library.close()
    queries.rename(away)
    photo = tmp_path / "media" / "green-3.png"
    with Session.open(home, device="cpu") as session:
        assert "Only 0 results are judged" in asked(session, photo)[1]
        away.rename(queries)
        assert asked(session, photo) == ({"green"}, "")


def test_a_mix_has_no_threshold_and_says_so(library: Session, tmp_path: Path) -> None:
    parts = tuple(QueryPart(kind, path=str(tmp_path / "media" / "red-1.png")) for kind in (Modality.IMAGE,))
    assert library.search(SearchRequest(Query(parts), min_precision=0.9)).note
    target = library._searcher._targets.of(MODEL)
    assert target is not None
    mixed = Query((*parts, QueryPart(Modality.TEXT, text="red")))
    assert "Mixed queries" in library._thresholds.of(target, mixed, 0.9).note


@pytest.mark.shared_data
def test_what_the_keywords_found_stays(shared_data: Path, tmp_path: Path) -> None:
    import replay

    with Session.open(tmp_path / "home", encoders=replay.ReplaySource(tmp_path / "models")) as session:
        session.index(IndexRequest((str(replay.PHOTOS_DIR),), (replay.KEY,)))
        for noun in ("dog", "cat", "bear"):
            query = session.evaluations.add_query(Query.of_text(noun))
            for place, one in enumerate(session.evaluations.lists(query.id, k=10)[0][1].hits):
                session.evaluations.judge(query.id, one.hit.item_id, int(place < 6))
        request = SearchRequest(Query.of_text("dog"), k=400, min_precision=0.9, keywords=False)
        sure = session.search(request).hits
        assert 0 < len(sure) < 400
        name = Path(session.search(replace(request, min_precision=None)).hits[-1].path).stem
        session._searcher._keywords.find = lambda *_: {  # type: ignore[method-assign]
            session.search(replace(request, min_precision=None)).hits[-1].item_id: []
        }
        hits = session.search(replace(request, keywords=True)).hits
    (found,) = [hit for hit in hits if Path(hit.path).stem == name]
    assert found.found_by == (FoundBy.KEYWORDS,)
    assert len(hits) == len(sure) + 1


def test_the_command_line_takes_a_share(
    library: Session, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for hue in HUES:
        judge_all(library, tmp_path / "media" / f"{hue}-0.png", hue)
    library.close()
    words = ["--home", str(home), "search", "--image", str(tmp_path / "media" / "blue-1.png"), "-k", "50", "--json"]
    assert run_command(parser().parse_args([*words, "--min-precision", "1"])) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert {Path(hit["path"]).name.split("-")[0] for hit in hits} == {"blue"}
    with pytest.raises(SystemExit):
        parser().parse_args([*words, "--min-precision", "1.5"])
