"""What a person does, from the open window to the table of measures, with nothing in between made up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.engine.jobs import Progress
from app.engine.librarytypes import IndexReport
from app.engine.types import FoundBy, Query
from app.gui.evaluate import RESULTS
from app.gui.labelsdialog import LabelsDialog
from app.gui.measuringbar import THIS_QUERY
from app.gui.topbar import EVALUATE, SEARCH
from app.gui.window import MainWindow

WAIT_MS = 90_000
REPLAY = "replay:ReplaySource"


def index(qtbot: QtBot, window: MainWindow, *folders: Path) -> IndexReport:
    with qtbot.waitSignal(window.workspace.job.finished, timeout=WAIT_MS) as finished:
        window.library.add_folders([str(folder) for folder in folders])
    report: IndexReport = finished.args[0]
    return report


def type_words(qtbot: QtBot, window: MainWindow, words: str) -> None:
    line = window.findChild(QLineEdit, "words")
    line.clear()
    qtbot.keyClicks(line, words)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def drop(window: MainWindow, path: Path) -> None:
    """Drag a file in and let it go: Qt passes a drop only to a widget that the drag has entered."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entered = QDragEnterEvent(QPoint(10, 10), *how)
    QApplication.sendEvent(window, entered)
    assert entered.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(10, 10), *how))


def names(window: MainWindow) -> list[str]:
    return [Path(tile.hit.path).name for tile in window.search.grid.results]


def best_photo(noun: str) -> str:
    """The photo that the reference vectors put first."""
    import numpy as np
    import replay  # only where the reference data is

    files = json.loads((replay.REFERENCE_DIR / "photos_names.json").read_text())
    images = np.load(replay.REFERENCE_DIR / "photos_image_embeddings.npy")
    return str(files[int(np.argmax(images @ replay.words()[noun]))])


@pytest.mark.shared_data
def test_words_picture_and_sound_find_what_is_alike(
    qtbot: QtBot, open_window: Callable[..., object], shared_data: Path
) -> None:
    window = open_window(REPLAY).window
    report = index(qtbot, window, shared_data / "images" / "photos_clip", shared_data / "audio" / "fsd50k_tiny")
    assert report.encoded["clip-replay"] == 400

    type_words(qtbot, window, "bear")
    best = best_photo("bear")
    qtbot.waitUntil(lambda: names(window)[:1] == [best], timeout=WAIT_MS)  # words are searched for while they are typed
    bear = window.search.grid.results[0].hit
    window.search.grid.set_current(0)
    qtbot.waitUntil(lambda: bool(window.details.facts), timeout=WAIT_MS)

    window.details.search_like.emit(bear)
    qtbot.waitUntil(lambda: bool(names(window)) and names(window)[0] != Path(bear.path).name, timeout=WAIT_MS)
    assert Path(bear.path).name not in names(window)

    sound = next((shared_data / "audio" / "fsd50k_tiny").glob("*.flac"))
    drop(window, sound)
    qtbot.waitUntil(lambda: bool(names(window)) and names(window)[0].endswith(".flac"), timeout=WAIT_MS)
    assert sound.name not in names(window)


def test_a_killed_engine_comes_back_and_finishes_the_index(
    qtbot: QtBot, open_window: Callable[..., object], tmp_path: Path
) -> None:
    from PIL import Image

    media = tmp_path / "media"
    media.mkdir()
    for number in range(300):
        Image.new("RGB", (64, 64), (number % 256, number // 2, 255 - number % 256)).save(media / f"{number}.png")
    opened = open_window()
    window, client = opened.window, opened.client
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.phase == "Encoding" and progress.done > 70 and not killed and client.pid:
            killed.append(client.pid)
            os.kill(client.pid, signal.SIGKILL)

    window.workspace.job.progressed.connect(kill)
    report = index(qtbot, window, media)
    assert killed
    assert client.pid not in killed
    assert report.spaces["colour-texture"].items == 300
    assert report.encoded["colour-texture"] <= 300 - 64
    qtbot.waitUntil(lambda: window.workspace.status.roots[0].items == 300, timeout=WAIT_MS)


def test_results_are_judged_blind_and_the_models_measured(
    qtbot: QtBot, open_window: Callable[..., object], tmp_path: Path
) -> None:
    window = open_window().window
    with qtbot.waitSignal(window.workspace.job.finished, timeout=WAIT_MS):
        window.workspace.open_sample()
    page = window.evaluate
    qtbot.waitUntil(lambda: len(page.queries.summaries) == 25, timeout=WAIT_MS)

    beach = Path(window.workspace.status.roots[0].path) / "pictures" / "sunset" / "palms-at-sunset.jpg"
    window.search.bar.set_query(Query.of_image(str(beach)))
    qtbot.waitUntil(lambda: bool(names(window)), timeout=WAIT_MS)
    window.search.judge_wanted.emit(window.search.bar.query(), "palms")
    qtbot.waitUntil(lambda: page.judging.current is not None, timeout=WAIT_MS)
    assert page.judging.question == "Is this like the picture on the left?"
    assert page.queries.current.title == "palms"

    judged = 0
    while (item := page.judging.current) is not None:
        relevant = "sunset" in item.item.path
        page.judging.give(int(relevant))
        judged += 1
        current = page.queries.current
        assert current is not None
        if judged == 10:
            break
    qtbot.waitUntil(lambda: page.queries.current.judged == 10, timeout=WAIT_MS)
    relevant_count = page.queries.current.relevant
    assert 0 < relevant_count < 10

    results = page.comparing
    page.show_view(RESULTS)
    qtbot.waitUntil(lambda: results.bar.scope.findData(THIS_QUERY) >= 0)
    results.bar.scope.setCurrentIndex(results.bar.scope.findData(THIS_QUERY))
    results.bar.scope.activated.emit(results.bar.scope.currentIndex())
    qtbot.waitUntil(lambda: results.request is not None and bool(results.request.query_ids), timeout=WAIT_MS)
    results.table.set_wraps(True)
    shown = {
        block.horizontalHeaderItem(column).text().replace("\n", " "): block.item(0, column).text()
        for block in results.table.blocks
        for column in range(block.columnCount())
    }
    assert shown["Model"] == "Colour & texture"
    assert float(shown["P@10"].strip(" ★")) == relevant_count / 10
    assert float(shown["Judged@10"].strip(" ★")) == 1.0


def test_a_set_is_judged_from_query_to_query_by_two_people_who_agree_in_part(
    qtbot: QtBot, open_window: Callable[..., object], tmp_path: Path
) -> None:
    from PIL import Image

    media = tmp_path / "media"
    media.mkdir()
    for number in range(9):
        colour = (255 - 9 * number, 40 + 3 * number, 30) if number < 5 else (20, 40 + 5 * number, 200 + number)
        Image.new("RGB", (64, 64), colour).save(media / f"{'warm' if number < 5 else 'cold'}{number}.png")
    window = open_window().window
    index(qtbot, window, media)
    page, panel = window.evaluate, window.evaluate.judging
    for name in ("warm0", "cold8"):
        window.search.judge_wanted.emit(Query.of_image(str(media / f"{name}.png")), name)
        qtbot.waitUntil(lambda wanted=name: bool(page.queries.current and page.queries.current.title == wanted))
    page.queries.list.setCurrentRow(0)

    def judge(first: str, is_right: Callable[[str, str], bool]) -> None:
        """Judge both queries, eight results each, with the keys alone."""
        for _ in range(16):
            qtbot.waitUntil(lambda: panel.current is not None and panel.session.plan is not None, timeout=WAIT_MS)
            found = Path(panel.current.item.path).name
            qtbot.keyClick(panel, Qt.Key.Key_F if is_right(page.queries.current.title, found) else Qt.Key.Key_J)
        qtbot.waitUntil(lambda: "Everything in this set is judged" in panel.sentence, timeout=WAIT_MS)
        assert panel.progress == "16 of 16 results judged"
        assert page.queries.current.title != first

    qtbot.waitUntil(lambda: panel.progress == "0 of 16 results judged" and panel.current is not None, timeout=WAIT_MS)
    judge("warm0", lambda query, found: query[:4] == found[:4])
    qtbot.waitUntil(lambda: page.queries.current.judged == 8, timeout=WAIT_MS)

    page.queries.list.setCurrentRow(0)
    panel.session.set_judge("Ann")
    qtbot.waitUntil(lambda: panel.current is not None and panel.session.plan is not None, timeout=WAIT_MS)
    assert panel.progress.startswith("0 of 16")
    judge("warm0", lambda query, found: query[:4] == found[:4] and "1" not in found)
    agreement = panel.tools.agreement
    qtbot.waitUntil(lambda: agreement.isVisible() and agreement.shown.items == 16, timeout=WAIT_MS)
    shown = agreement.shown
    assert (shown.first, shown.second, shown.items, shown.agreed) == ("Ann", "", 16, 15)
    assert shown.kappa == pytest.approx(1 - (1 / 16) / ((6 * 9 + 10 * 7) / 16**2), abs=1e-4)


def test_what_is_judged_stays_in_its_library(qtbot: QtBot, open_window: Callable[..., object], tmp_path: Path) -> None:
    from PIL import Image

    window = open_window().window
    page, panel = window.evaluate, window.evaluate.judging
    for number, name in enumerate(("default", "second")):  # both number their sets, queries and items from one
        if name != window.workspace.library:
            with qtbot.waitSignal(window.workspace.opened, timeout=WAIT_MS):
                window.workspace.open(name)
        media = tmp_path / name
        media.mkdir()
        for shade in range(4):
            colour = (200 - 20 * shade, 90 * number, 40 + 10 * shade)
            Image.new("RGB", (64, 64), colour).save(media / f"{name}{shade}.png")
        index(qtbot, window, media)
        window.search.judge_wanted.emit(Query.of_image(str(media / f"{name}0.png")), name)
        qtbot.waitUntil(lambda wanted=name: bool(page.queries.current) and page.queries.current.title == wanted)

    def shown_in(name: str) -> bool:
        item, details = panel.current, panel.preview._details
        return bool(item and details and name in item.item.path and details.path == item.item.path)

    def judged() -> int:
        return page.queries.current.judged if page.queries.current else -1

    for name, count in (("second", 1), ("default", 1), ("second", 2), ("default", 2)):
        if name != window.workspace.library:
            window.workspace.open(name)
            qtbot.keyClick(panel, Qt.Key.Key_F)  # into neither, for it is not open yet
            qtbot.keyClick(panel, Qt.Key.Key_U)
        qtbot.waitUntil(lambda wanted=name: shown_in(wanted), timeout=WAIT_MS)
        assert judged() == count - 1
        qtbot.keyClick(panel, Qt.Key.Key_F)
        qtbot.waitUntil(lambda wanted=count: judged() == wanted, timeout=WAIT_MS)


@pytest.mark.shared_data
def test_pictures_are_given_labels_that_are_found_filtered_by_and_judged(
    qtbot: QtBot, open_window: Callable[..., object], shared_data: Path
) -> None:
    window = open_window(REPLAY).window
    index(qtbot, window, shared_data / "images" / "photos_clip")
    window.actions_.labels.trigger()
    dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, LabelsDialog))
    dialog.names.setPlainText("turtle\ncat\nbicycle")
    qtbot.waitUntil(dialog.assign.isEnabled, timeout=WAIT_MS)
    dialog.assign.click()
    labels = window.search.filters.labels
    qtbot.waitUntil(lambda: labels.list.count() == 3 and dialog.judge.isEnabled(), timeout=WAIT_MS)

    type_words(qtbot, window, "turtle")
    labels.choose("turtle")
    qtbot.waitUntil(lambda: 0 < len(names(window)) < 20, timeout=WAIT_MS)
    assert names(window)[0] == best_photo("turtle")
    assert FoundBy.KEYWORDS in window.search.grid.results[0].hit.found_by
    window.search.grid.set_current(0)
    qtbot.waitUntil(lambda: bool(window.details.labels.words), timeout=WAIT_MS)
    assert window.details.labels.words[0].startswith("turtle ")

    dialog.judge.click()
    page = window.evaluate
    qtbot.waitUntil(lambda: page.judging.current is not None and "bicycle" in page.judging.question, timeout=WAIT_MS)
    page.judging.give(1)
    qtbot.waitUntil(lambda: page.queries.current is not None and page.queries.current.judged == 1, timeout=WAIT_MS)


def test_the_window_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, app.gui.app;"
        "print([name for name in ('torch', 'numpy', 'PIL', 'cv2', 'PySide6.QtMultimedia') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_of_classes_becomes_a_set_and_the_next_search_is_kept_in_it(
    qtbot: QtBot, open_window: Callable[..., object], tmp_path: Path
) -> None:
    from PIL import Image

    media = tmp_path / "colours"
    for number in range(6):
        name, colour = ("warm", (255 - 9 * number, 40, 30)) if number % 2 else ("cold", (20, 40, 200 + number))
        (media / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), colour).save(media / name / f"{number}.png")
    window = open_window().window
    index(qtbot, window, media)
    window.show_page(EVALUATE)
    column = window.evaluate.queries
    column._add_files([str(media)])
    qtbot.waitUntil(lambda: len(column.summaries) == 6, timeout=WAIT_MS)
    assert column.current_set.name == "colours"
    assert column.sets.progress == "6 of 6 queries have judgments"
    assert window.evaluate.comparing.isVisible()
    assert "30 judgments for 6 queries" in column.work.text

    window.show_page(SEARCH)
    window.search.bar.set_query(Query.of_text("warm"))
    qtbot.waitUntil(lambda: bool(names(window)), timeout=WAIT_MS)
    window.search.keep_wanted.emit(window.search.bar.query(), "warm ones")
    qtbot.waitUntil(lambda: "It is in “colours”" in window.banner.text, timeout=WAIT_MS)
    window.show_page(EVALUATE)
    qtbot.waitUntil(lambda: "warm ones" in [one.title for one in column.summaries], timeout=WAIT_MS)
