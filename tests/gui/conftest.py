"""Fixtures of the window's tests: a recording engine, values to answer with, and a watch for what a test leaves."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QEvent, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.client import Call
from app.bridge.messages import Action
from app.engine.jobs import Cancelled, Progress
from app.engine.librarytypes import LibrarySettings, LibraryStatus, Root, SpaceCount
from app.engine.modeltypes import ModelStatus
from app.engine.types import FoundBy, Hit, ItemKind, MediaKind, Modality, SearchReply, Timings
from app.gui import plotting  # noqa: F401 - read at once, so that no test leaves the thread behind that reads it
from app.gui.application import Application
from app.gui.engine import Engine
from app.gui.window import MainWindow


@dataclass
class RecordedCall:
    """One request the window made. ``actions`` are what the window did to it since."""

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    on_progress: Callable[[Progress], None] | None = None
    future: Future[Any] = field(default_factory=Future)
    actions: list[Action] = field(default_factory=list)

    def answer(self, value: Any) -> None:
        self.future.set_result(value)

    def fail(self, error: Exception) -> None:
        self.future.set_exception(error)

    def progress(self, progress: Progress) -> None:
        assert self.on_progress, f"{self.method} was asked for without on_progress"
        self.on_progress(progress)

    def control(self, action: Action) -> None:
        self.actions.append(action)
        if action is Action.CANCEL and not self.future.done():
            self.future.set_exception(Cancelled())


class FakeClient:
    """Stands in for the bridge. ``answers`` maps a method to a function of its arguments, which returns the answer
    or raises; a method without an entry stays open until the test calls ``answer`` or ``fail`` on the recorded call.
    """

    def __init__(self) -> None:
        self.on_exit: Callable[[], None] = lambda: None
        self.on_event: Callable[[str, Any], None] = lambda _name, _value: None
        self.calls: list[RecordedCall] = []
        self.answers: dict[str, Callable[..., Any]] = {}
        self.starts = 0
        self.closed = False

    def start(self) -> None:
        self.starts += 1

    def close(self) -> None:
        self.closed = True

    def call(
        self, method: str, *args: Any, on_progress: Callable[[Progress], None] | None = None, **kwargs: Any
    ) -> Call:
        recorded = RecordedCall(method, args, kwargs, on_progress)
        self.calls.append(recorded)
        if method in self.answers:
            try:
                recorded.answer(self.answers[method](*args, **kwargs))
            except Exception as error:
                recorded.fail(error)
        return Call(recorded.future, recorded.control)

    def of(self, method: str) -> list[RecordedCall]:
        """The calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    def last(self, method: str) -> RecordedCall:
        found = self.of(method)
        assert found, f"{method} was not asked for; asked for: {[call.method for call in self.calls]}"
        return found[-1]

    def tell(self, name: str, value: Any) -> None:
        """Tell something without being asked, as the engine does."""
        self.on_event(name, value)

    def die(self) -> None:
        """End as the engine does when it crashes."""
        self.on_exit()


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    """The program's own application object, which every test of the window shares."""
    return Application


@pytest.fixture
def fake_client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def engine(qapp: QApplication, fake_client: FakeClient) -> Iterator[Engine]:
    made = Engine(fake_client)
    made.start()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    """A small picture as the engine sends them."""
    image = QImage(96, 64, QImage.Format.Format_RGB32)
    image.fill(0xFF3A56D4)
    encoded = QByteArray()
    buffer = QBuffer(encoded)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "JPEG")
    return bytes(encoded.data())


@pytest.fixture(scope="session")
def make_hit() -> Callable[..., Hit]:
    """A photo hit of the given rank; keywords replace any field."""

    def make(rank: int, **changes: Any) -> Hit:
        photo = Hit(
            rank=rank,
            item_id=100 + rank,
            path=f"/photos/holiday {rank}.jpg",
            kind=MediaKind.PHOTO,
            item_kind=ItemKind.PHOTO,
            start_ms=None,
            end_ms=None,
            similarity=round(0.4 - rank / 100, 3),
            found_by=(FoundBy.MEANING,),
        )
        return replace(photo, **changes)

    return make


@pytest.fixture(scope="session")
def make_reply(make_hit: Callable[..., Hit]) -> Callable[..., SearchReply]:
    """A reply of so many photos; keywords replace any field."""

    def make(count: int = 3, **changes: Any) -> SearchReply:
        hits = tuple(make_hit(rank) for rank in range(1, count + 1))
        return replace(SearchReply(("clip-vit-b-32",), hits, Timings(20.0, 8.0, 38.0)), **changes)

    return make


@pytest.fixture(scope="session")
def make_status() -> Callable[..., LibraryStatus]:
    """The status of a library of one folder; keywords replace any field."""

    def make(**changes: Any) -> LibraryStatus:
        status = LibraryStatus(
            name="default",
            folder="/home/me/semblance/libraries/default",
            roots=(Root("/photos", True, 3, 3),),
            kinds={MediaKind.PHOTO: 3},
            items={ItemKind.PHOTO: 3},
            spaces={"clip-vit-b-32": SpaceCount(3, 512)},
            models=("clip-vit-b-32",),
            failures=(),
            judgments=0,
            size_bytes=4096,
            settings=LibrarySettings(watch=False),  # else every opening begins with a look for what has changed
        )
        return replace(status, **changes)

    return make


@pytest.fixture(scope="session")
def models() -> tuple[ModelStatus, ...]:
    """Two models that are ready, one for pictures and words and one for sounds, and one without its weights."""
    return (
        ModelStatus(
            "clip-vit-b-32", "CLIP ViT-B/32", "open_clip", frozenset({Modality.TEXT, Modality.IMAGE}), 512, "MIT",
            "Finds pictures by words and by pictures.", True,
        ),
        ModelStatus(
            "timbre", "Timbre", "builtin", frozenset({Modality.AUDIO}), 128, "MIT", "Finds sounds that sound alike.",
            True,
        ),
        ModelStatus(
            "siglip2-b-16", "SigLIP 2 B/16", "open_clip", frozenset({Modality.TEXT, Modality.IMAGE}), 768,
            "Apache-2.0", "Finds pictures by words in many languages.", False, "Its weights are not on this computer.",
            "/home/me/semblance/models/siglip2-b-16", ("open_clip_model.safetensors", "tokenizer.json"),
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ModelStatus]:
    """A model for pictures and words that can be installed; keywords replace any field."""

    def make(key: str, **changes: Any) -> ModelStatus:
        model = ModelStatus(
            key, key.upper(), "open_clip", frozenset({Modality.TEXT, Modality.IMAGE}), 512, "MIT",
            "Finds pictures by English words.", False, "Put its weights into that folder.", f"/home/me/models/{key}",
            ("model.safetensors",), licence_note="Free for any use.", commercial=True, languages=("en",),
            parameters=151_000_000, download_bytes=605_000_000, memory_bytes=900_000_000, input_px=224,
            source=f"hub: makers/{key}", paper="https://arxiv.org/abs/2103.00020",
        )  # fmt: skip
        return replace(model, **({"problem": ""} if changes.get("ready") else {}), **changes)

    return make


@pytest.fixture
def window(
    qtbot: QtBot, fake_client: FakeClient, make_status, make_reply, models, jpeg: bytes, tmp_path: Path
) -> MainWindow:
    """The whole window on an open library of one folder; searches find a dozen photos."""
    fake_client.answers.update(
        open=lambda name: make_status(name=name), libraries=lambda: ("default",), models=lambda: models,
        status=make_status, queries=lambda: (), query_preview=lambda part: jpeg,
        thumbnails=lambda ids: dict.fromkeys(ids, jpeg),
        search=lambda request: make_reply(12, generation=request.generation),
    )  # fmt: skip
    made = MainWindow(Engine(fake_client), tmp_path)
    qtbot.addWidget(made)
    made.show()
    made.start()
    qtbot.waitUntil(lambda: made.workspace.status is not None)
    return made


@pytest.fixture(autouse=True)
def leaves_nothing(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a window or a thread behind."""
    threads = set(threading.enumerate())
    windows = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    left = [widget for widget in QApplication.topLevelWidgets() if id(widget) not in windows]
    assert not left, f"windows left behind: {left}"
    assert not set(threading.enumerate()) - threads, f"threads left behind: {threading.enumerate()}"
