"""The search page: asking while typing, showing the newest answer, chips, filters and what to do when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QEvent, QMimeData, QObject, Qt, QTime, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.engine.errors import AppError, EngineDied, NothingToCompare
from app.engine.types import ItemKind, MediaKind, Modality, Query, QueryPart, SearchReply, SearchRequest
from app.gui import intake
from app.gui.emptystate import EmptyState
from app.gui.filters import FilterBar
from app.gui.results import Results
from app.gui.searchpage import FIRST_K, SearchPage
from app.gui.thumbnails import ThumbnailStore
from app.gui.topbar import EVALUATE, MODELS, SEARCH
from app.gui.window import MainWindow


@pytest.fixture
def page(qtbot: QtBot, engine, fake_client, make_status, models, jpeg: bytes, tmp_path: Path) -> SearchPage:
    fake_client.answers["query_preview"] = lambda part: jpeg
    fake_client.answers["thumbnails"] = lambda ids: {}
    made = SearchPage(engine, ThumbnailStore(engine, engine), tmp_path / "pasted")
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.set_models(models)
    made.set_library(make_status())
    made.show()
    return made


def words(page: SearchPage) -> QLineEdit:
    return page.bar.findChild(QLineEdit, "words")


def said(page: SearchPage) -> str:
    return page.findChild(EmptyState).headline


def press(page: SearchPage, text: str) -> None:
    QCoreApplication.processEvents()  # a layout shows its new buttons in the next turn
    next(button for button in page.findChildren(QPushButton) if button.text() == text and not button.isHidden()).click()


def last_request(fake_client) -> SearchRequest:
    return fake_client.last("search").args[0]


def test_typing_asks_once_after_a_pause_and_enter_asks_at_once(qtbot: QtBot, page: SearchPage, fake_client) -> None:
    qtbot.keyClicks(words(page), "dog")
    assert not fake_client.of("search")
    qtbot.waitUntil(lambda: len(fake_client.of("search")) == 1)
    assert last_request(fake_client).query == Query.of_text("dog")
    qtbot.keyClicks(words(page), "s")
    qtbot.keyClick(words(page), Qt.Key.Key_Return)
    assert last_request(fake_client).query == Query.of_text("dogs")


def test_a_preview_of_a_chip_that_has_gone_is_dropped(page: SearchPage, fake_client, jpeg: bytes) -> None:
    del fake_client.answers["query_preview"]
    page.bar.set_query(Query.of_image("/photos/a.png"))
    preview = fake_client.last("query_preview")
    page.bar.set_query(Query.of_text("dog"))
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    preview.answer(jpeg)
    QCoreApplication.processEvents()  # what fails here fails the test


def test_only_the_newest_answer_is_shown(qtbot: QtBot, page: SearchPage, fake_client, make_reply) -> None:
    for text in ("cat", "dog"):
        page.bar.set_query(Query.of_text(text))
    first, second = fake_client.of("search")
    assert first.actions  # cancelled
    second.answer(make_reply(4, generation=second.args[0].generation))
    qtbot.waitUntil(lambda: page.grid.results.hits == 4)
    late = make_reply(1, generation=first.args[0].generation)
    page._show_reply(first.args[0].query, late, Results(late.hits), False)
    assert page.grid.results.hits == 4


def test_the_header_says_how_many_by_which_model_and_how_fast(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    note = "Only the names were searched: no model that reads words is installed."
    fake_client.answers["search"] = lambda request: make_reply(3, generation=request.generation, note=note)
    page.bar.set_query(Query.of_text("holiday"))
    qtbot.waitUntil(lambda: page.grid.isVisible())
    assert page._header.text() == "3 results · CLIP ViT-B/32 · 38 ms"
    assert page._note.text() == note


def test_scrolling_to_the_end_asks_for_more_and_keeps_the_place(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(min(request.k, 250), generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: page.grid.results.hits == FIRST_K)
    page.grid.set_current(FIRST_K - 1)
    qtbot.waitUntil(lambda: page.grid.results.hits == 250)
    assert page.grid.current.rank == FIRST_K
    page.grid.set_current(249)
    assert len(fake_client.of("search")) == 2  # 250 of 400: there are no more


def test_results_are_asked_for_again_without_losing_the_place(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(60, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: page.grid.results.hits == 60)
    page.grid.set_current(50)
    page.refresh()
    qtbot.waitUntil(lambda: "Searching" not in page._header.text())
    assert page.grid.current.rank == 51


def test_a_refresh_while_another_query_is_asked_begins_at_its_first_result(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(60, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: page.grid.results.hits == 60)
    page.grid.set_current(50)
    del fake_client.answers["search"]
    page.bar.set_query(Query.of_text("cat"))
    page.refresh()
    fake_client.last("search").answer(make_reply(60, generation=last_request(fake_client).generation))
    qtbot.waitUntil(lambda: page.grid.current is None)
    assert page.grid.verticalScrollBar().value() == 0


def test_a_hundred_thousand_results_can_be_scrolled_to(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply, make_hit
) -> None:
    hits = tuple(make_hit(rank) for rank in range(1, 100_001))

    def search(request: SearchRequest) -> SearchReply:
        return make_reply(hits=hits[: request.k], generation=request.generation)

    fake_client.answers["search"] = search
    page.bar.set_query(Query.of_text("dog"))

    def at_the_end() -> bool:
        page.grid.verticalScrollBar().setValue(page.grid.verticalScrollBar().maximum())
        return page.grid.results.hits == len(hits)

    qtbot.waitUntil(at_the_end)
    assert [call.args[0].k for call in fake_client.of("search")] == [100, 400, 1600, 6400, 25_600, 102_400]


def test_a_sound_stands_alone(qtbot: QtBot, page: SearchPage, fake_client) -> None:
    page.bar.set_query(Query.of_text("dog"))
    page.bar.add_parts([QueryPart(Modality.IMAGE, path="/a.jpg")])
    page.bar.add_parts([QueryPart(Modality.AUDIO, path="/bark.wav")])
    assert last_request(fake_client).query == Query.of_sound("/bark.wav")
    assert not words(page).isEnabled()
    page.bar.add_parts([QueryPart(Modality.IMAGE, path="/b.jpg")])
    assert last_request(fake_client).query == Query.of_image("/b.jpg")
    assert words(page).isEnabled()


def test_a_chip_turns_to_less_like_this_and_back_and_goes(qtbot: QtBot, page: SearchPage, fake_client) -> None:
    page.bar.set_query(Query.of_text("dog"))
    page.bar.add_parts([QueryPart(Modality.IMAGE, path="/a.jpg")])
    turn, close = (button for button in page.bar._chips[0].findChildren(QToolButton))
    turn.click()
    assert [part.weight for part in last_request(fake_client).query.parts] == [1.0, -1.0]
    close.click()
    assert last_request(fake_client).query == Query.of_text("dog")


def test_a_query_of_only_less_like_this_asks_nothing(page: SearchPage, fake_client) -> None:
    page.bar.add_parts([QueryPart(Modality.IMAGE, path="/a.jpg", weight=-1.0)])
    assert not fake_client.of("search")


def test_backspace_in_front_of_nothing_takes_the_last_chip_out(qtbot: QtBot, page: SearchPage) -> None:
    page.bar.add_parts([QueryPart(Modality.IMAGE, path="/a.jpg")])
    qtbot.keyClick(words(page), Qt.Key.Key_Backspace)
    assert page.bar.is_empty


def test_more_and_less_like_a_result_join_the_query(page: SearchPage, fake_client, make_hit) -> None:
    page.bar.set_query(Query.of_text("dog"))
    frame = make_hit(1, path="/film.mp4", kind=MediaKind.VIDEO, item_kind=ItemKind.FRAME, start_ms=8000)
    page.grid.more_like.emit(frame)
    page.grid.less_like.emit(make_hit(2))
    assert last_request(fake_client).query.parts[1:] == (
        QueryPart(Modality.IMAGE, path="/film.mp4", at_ms=8000),
        QueryPart(Modality.IMAGE, path="/photos/holiday 2.jpg", weight=-1.0),
    )
    page.grid.search_like.emit(frame)
    assert last_request(fake_client).query == Query.of_image("/film.mp4", 8000)


def test_filters_ask_again(page: SearchPage, fake_client) -> None:
    page.bar.set_query(Query.of_text("dog"))
    press(page, "Videos")
    page.filters.set_under("/films")
    page.filters._dates.set_days(QDate(2024, 3, 1), QDate(2024, 3, 1))
    filters = last_request(fake_client).filters
    assert filters.kinds == {MediaKind.VIDEO}
    assert filters.under == "/films"
    assert filters.after_ms == QDateTime(QDate(2024, 3, 1), QTime(0, 0)).toMSecsSinceEpoch()
    assert filters.before_ms == QDateTime(QDate(2024, 3, 2), QTime(0, 0)).toMSecsSinceEpoch() - 1


def test_results_can_be_kept_to_what_is_likely_right(qtbot: QtBot, page: SearchPage, fake_client, make_reply) -> None:
    fake_client.answers["search"] = lambda request: make_reply(0, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    assert last_request(fake_client).min_precision is None
    page.filters._sure.click()
    assert last_request(fake_client).min_precision == 0.9
    qtbot.waitUntil(lambda: said(page) == "Nothing found")
    press(page, "Clear the filters")
    assert last_request(fake_client).min_precision is None


def test_where_nothing_is_likely_right_the_rest_is_offered(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(
        0, note="No picture is similar enough.", all_unsure=True, generation=request.generation
    )
    page.bar.set_query(Query.of_text("dog"))
    press(page, "Photos")
    page.filters._sure.click()
    qtbot.waitUntil(lambda: page.findChild(EmptyState).sentence == "No picture is similar enough.")
    press(page, "Show unsure results too")
    assert last_request(fake_client).min_precision is None
    assert last_request(fake_client).filters.kinds == {MediaKind.PHOTO}


def test_the_picker_offers_only_models_that_can_answer(page: SearchPage, make_status) -> None:
    spaces = dict.fromkeys(("clip-vit-b-32", "timbre", "siglip2-b-16"), make_status().spaces["clip-vit-b-32"])
    page.set_library(make_status(spaces=spaces))
    offered = page.filters._model
    page.bar.set_query(Query.of_text("dog"))
    assert [offered.itemText(row) for row in range(offered.count())] == ["Best available", "CLIP ViT-B/32"]
    page.bar.set_query(Query.of_sound("/bark.wav"))
    assert [offered.itemText(row) for row in range(offered.count())] == ["Best available", "Timbre"]


def test_nothing_found_offers_to_clear_the_filters(qtbot: QtBot, page: SearchPage, fake_client, make_reply) -> None:
    fake_client.answers["search"] = lambda request: make_reply(0, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    press(page, "Sounds")
    qtbot.waitUntil(lambda: "filters may hide" in page.findChild(EmptyState).sentence)
    assert said(page) == "Nothing found"
    press(page, "Clear the filters")
    assert last_request(fake_client).filters.kinds == frozenset(MediaKind)


def test_nothing_found_says_the_engines_reason_and_offers_the_models(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    note = "No model here finds sounds by words: these are found by name, folder and caption alone."
    fake_client.answers["search"] = lambda request: make_reply(0, models=(), note=note, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: said(page) == "Nothing found")
    assert page.findChild(EmptyState).sentence.startswith(note)
    with qtbot.waitSignal(page.models_wanted):
        press(page, "See the models")


def test_two_models_that_answer_in_turn_are_named_and_show_no_cosines(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(
        3, models=("clip-vit-b-32", "timbre"), generation=request.generation
    )
    page.bar.set_query(Query.of_text("dog"))
    words = "pictures by CLIP ViT-B/32, sounds by Timbre, in turn"
    qtbot.waitUntil(lambda: any(words in label.text() for label in page.findChildren(QLabel)))
    page.grid.set_current(0)
    assert page.grid.current.similarity is None


def test_an_error_is_told_and_a_dead_engine_is_not_the_querys_fault(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    page.bar.set_query(Query.of_text("dog"))
    fake_client.last("search").fail(AppError("This picture cannot be read", "Choose another."))
    qtbot.waitUntil(lambda: said(page) == "This picture cannot be read")
    page.search()
    fake_client.last("search").fail(EngineDied("The engine stopped", ""))
    page.search()
    request = last_request(fake_client)
    fake_client.last("search").answer(make_reply(2, generation=request.generation))
    qtbot.waitUntil(lambda: page.grid.results.hits == 2)


def test_while_files_are_read_a_query_waits_for_what_answers_it(
    qtbot: QtBot, page: SearchPage, fake_client, make_status, make_reply
) -> None:
    none = NothingToCompare("No model here can answer this", "Choose one.")
    page.set_indexing(True)
    page.search_by((QueryPart(Modality.IMAGE, path="a.jpg"),))
    fake_client.last("search").fail(none)
    qtbot.waitUntil(lambda: said(page) == "Your files are being read")
    page.set_library(make_status(judgments=1))  # more of it has been read
    assert len(fake_client.of("search")) == 2
    fake_client.last("search").fail(none)
    qtbot.waitUntil(lambda: page._call is None)
    page.set_indexing(False)
    fake_client.last("search").fail(none)
    qtbot.waitUntil(lambda: said(page) == "No model here can answer this")
    assert len(fake_client.of("search")) == 3


def test_the_first_start_says_what_to_do(qtbot: QtBot, page: SearchPage, make_status) -> None:
    page.set_library(make_status(folder="/other", roots=(), items={}))
    assert said(page) == "Welcome to Semblance"
    with qtbot.waitSignal(page.add_folder_wanted):
        press(page, "Add a folder…")
    with qtbot.waitSignal(page.sample_wanted):
        press(page, "Try the sample library")
    with qtbot.waitSignal(page.models_wanted):
        press(page, "See the models")


def test_without_a_model_that_reads_words_the_page_says_so(qtbot: QtBot, page: SearchPage, make_status) -> None:
    page.set_library(make_status(folder="/other", spaces={}))
    assert "add a model that reads words" in page.findChild(EmptyState).sentence
    with qtbot.waitSignal(page.models_wanted):
        press(page, "See the models")


def test_words_typed_before_the_library_is_open_are_answered_after(page: SearchPage, fake_client, make_status) -> None:
    page.show_opening()
    page.bar.set_query(Query.of_text("dog"))
    assert not fake_client.of("search")
    page.set_library(make_status())
    assert last_request(fake_client).query == Query.of_text("dog")


def test_judging_hands_over_the_query_that_was_answered(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(3, generation=request.generation)
    page.bar.set_query(Query.of_text("a dog"))
    qtbot.waitUntil(lambda: page.grid.isVisible())
    with qtbot.waitSignal(page.judge_wanted) as wanted:
        press(page, "Judge these results")
    assert wanted.args == [Query.of_text("a dog"), "a dog"]


# --- what is pasted and dropped --------------------------------------------------------------------------------------


def test_a_pasted_picture_becomes_a_file_and_is_searched_by(page: SearchPage, fake_client, tmp_path: Path) -> None:
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(0xFF00FF00)
    QGuiApplication.clipboard().setImage(picture)
    assert page.bar.paste()
    part = last_request(fake_client).query.parts[0]
    assert Path(part.path).parent == tmp_path / "pasted"
    assert QImage(part.path).pixelColor(0, 0).name() == "#00ff00"


def test_a_picture_that_cannot_be_written_is_told(qtbot: QtBot, page: SearchPage, tmp_path: Path) -> None:
    (tmp_path / "pasted").write_text("a file where the folder should be")
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(0)
    QGuiApplication.clipboard().setImage(picture)
    with qtbot.waitSignal(page.bar.failed) as failed:
        page.bar.paste()
    assert failed.args[0].title == "The picture could not be pasted"


@pytest.mark.parametrize("as_url", [True, False])
def test_a_path_or_a_url_pasted_as_words_is_the_file(tmp_path: Path, as_url: bool) -> None:
    sound = tmp_path / "Vögel am Morgen.wav"
    sound.touch()
    data = QMimeData()
    data.setText(sound.as_uri() if as_url else str(sound))
    assert intake.from_data(data, tmp_path).parts == (QueryPart(Modality.AUDIO, path=str(sound)),)


@pytest.mark.parametrize("text", ["dogs on a beach", "/no/such/file.jpg", "x" * 10_000, "a\0b", "/", ""])
def test_other_words_stay_words(tmp_path: Path, text: str) -> None:
    data = QMimeData()
    data.setText(text)
    assert not intake.from_data(data, tmp_path).parts


def test_dropped_things_are_sorted_by_what_they_are(tmp_path: Path) -> None:
    names = ("a.jpg", "b.HEIC", "c.mp4", "d.opus", "e.txt")
    for name in names:
        (tmp_path / name).touch()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in names] + [QUrl.fromLocalFile(str(tmp_path))])
    taken = intake.from_data(data, tmp_path)
    assert taken.folders == (str(tmp_path),)
    assert [(Path(part.path).name, part.modality) for part in taken.parts] == [
        ("a.jpg", Modality.IMAGE), ("b.HEIC", Modality.IMAGE), ("c.mp4", Modality.IMAGE), ("d.opus", Modality.AUDIO),
    ]  # fmt: skip
    assert [Path(path).name for path in taken.refused] == ["e.txt"]


def test_a_frame_dragged_out_of_the_results_keeps_its_moment(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.touch()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(film))])
    data.setData(intake.MOMENT_TYPE, b"8000")
    assert intake.from_data(data, tmp_path).parts[0].at_ms == 8000


def test_what_was_found_is_not_squeezed_between_the_window_and_the_buttons(
    qtbot: QtBot, page: SearchPage, fake_client, make_reply
) -> None:
    fake_client.answers["search"] = lambda request: make_reply(3, generation=request.generation)
    page.bar.set_query(Query.of_text("dog"))
    qtbot.waitUntil(lambda: page.grid.results.hits == 3)
    found = next(label for label in page.findChildren(QLabel) if label.text().startswith("3 results"))
    judge = next(button for button in page.findChildren(QPushButton) if button.text() == "Judge these results")
    for width_px, is_beside in ((900, True), (page.minimumSizeHint().width(), False)):
        page.resize(width_px, 640)
        found.setText(
            "3 results · pictures by a model with a long name, sounds by another such model, in turn · 120 ms"
        )
        page._arrange_heading()
        qtbot.waitUntil(lambda: (found.geometry().bottom() > judge.geometry().top()) is is_beside)  # noqa: B023 - waited for here


def test_the_kinds_are_drawings_alone_before_the_models_name_is_cut(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    bar = FilterBar(holder)
    holder.show()
    bar.resize(2000, 90)
    QCoreApplication.sendPostedEvents()
    roomy_px = bar.sizeHint().width()
    for width_px, has_words in ((roomy_px, True), (roomy_px - 1, False), (roomy_px, True), (roomy_px // 2, False)):
        bar.resize(width_px, 90)
        QCoreApplication.sendPostedEvents()
        assert all(bool(button.text()) is has_words for button in bar._kinds.values())
        assert bar._model.width() >= bar._model.sizeHint().width()


def test_the_filters_lie_still_once_they_are_laid_out(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    column = QVBoxLayout(holder)
    column.addWidget(FilterBar())
    holder.show()
    for _ in range(9):
        QCoreApplication.sendPostedEvents()
    asked = _LayoutRequests(holder)
    for widget in (holder, *holder.findChildren(QWidget)):
        widget.installEventFilter(asked)
    for _ in range(9):
        QCoreApplication.sendPostedEvents()
    assert asked.count == 0


@pytest.mark.parametrize("page", [SEARCH, EVALUATE, MODELS])
@pytest.mark.parametrize("width_px", [1000, 1280])
def test_the_whole_window_lies_still_once_it_is_laid_out(
    qtbot: QtBot, window: MainWindow, page: int, width_px: int
) -> None:
    window.resize(width_px, 700)
    window.show_page(page)
    qtbot.wait(300)  # what fades and is asked for comes to an end
    asked = _LayoutRequests(window)
    for widget in (window, *window.findChildren(QWidget)):
        widget.installEventFilter(asked)
    for _ in range(9):
        QCoreApplication.sendPostedEvents()
        QCoreApplication.processEvents()
    assert asked.count == 0


class _LayoutRequests(QObject):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.LayoutRequest
        return False
