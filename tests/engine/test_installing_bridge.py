"""Across the bridge: a model comes while the library is open, beside all other work, and can be used at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tinymodel
from hub import Fault, Hub, running, sha256
from tinymodel import KEY, REPO, WEIGHTS, hub_source, url_source

from app.bridge.client import EngineClient, ProcessLauncher
from app.engine.errors import AppError
from app.engine.jobs import Cancelled, Progress
from app.engine.librarytypes import IndexRequest
from app.engine.types import Query, SearchRequest

WAIT_S = 120


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        started.put(REPO, {WEIGHTS: tinymodel.weights()})
        yield started


@pytest.fixture
def plain(hub: Hub) -> str:
    """The source of a small network at a plain address."""
    data = tinymodel.weights()
    hub.plain[f"/files/{WEIGHTS}"] = data
    checksum = f"sha256-prefix:{sha256(data)[:8]}"
    return url_source(f"{hub.address}/files", {"name": WEIGHTS, "size_bytes": len(data), "checksum": checksum})


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., EngineClient]]:
    """Starts an engine whose catalogue has these entries, and opens a library."""
    clients = []

    def open_library(*entries: str) -> EngineClient:
        home.mkdir(exist_ok=True)
        tinymodel.write_catalogue(home / "catalogue.toml", *entries)
        client = EngineClient(ProcessLauncher(home, "tinymodel:source"))
        clients.append(client)
        client.start()
        client.call("open", "default").future.result(WAIT_S)
        return client

    yield open_library
    for client in clients:
        client.close()


def test_an_installed_model_is_used_without_opening_the_library_again(
    start: Callable[..., EngineClient], plain: str, hub: Hub, photo: Callable[..., Path], tmp_path: Path
) -> None:
    client = start(tinymodel.entry(source=plain))
    query, other = photo("a.png", 1), photo("b.png", 2)
    hub.faults.append(Fault(WEIGHTS, cut_after=150_000))

    def call(method: str, *arguments: object) -> Any:
        return client.call(method, *arguments).future.result(WAIT_S)

    assert not call("models")[0].ready
    plan = call("models_plan", KEY)
    assert plan.download_bytes == len(hub.plain[f"/files/{WEIGHTS}"])
    seen: list[Progress] = []
    status = client.call("models_install", KEY, on_progress=seen.append).future.result(WAIT_S)
    assert status.ready
    assert {"Asking the source", "Downloading", "Checking"} <= {progress.phase for progress in seen}
    assert call("models")[0].ready
    call("index", IndexRequest((str(tmp_path / "media"),), (KEY,)))
    reply = call("search", SearchRequest(Query.of_image(str(query))))
    assert [hit.path for hit in reply.hits] == [str(other)]
    assert call("models_verify", (KEY,))[0].problems == ()

    call("models_remove", KEY)
    assert not call("models")[0].ready
    with pytest.raises(AppError, match="Put "):
        call("search", SearchRequest(Query.of_image(str(query)), model=KEY))
    assert call("status").kept[KEY].items == 2
    call("models_install", KEY)
    assert call("index", IndexRequest((), (KEY,))).encoded.get(KEY, 0) == 0  # what it computed has stayed
    assert call("search", SearchRequest(Query.of_image(str(query)))).hits


def test_a_download_holds_up_nothing_else_and_can_be_cancelled(
    start: Callable[..., EngineClient], hub: Hub, photo: Callable[..., Path], tmp_path: Path
) -> None:
    tiny = tinymodel.entry(source=hub_source({"name": WEIGHTS}))
    colours = Path(__file__).resolve().parents[2] / "resources" / "models.toml"
    built_in = '[[model]]\nkey = "colour-texture"' + colours.read_text().split('key = "colour-texture"')[1]
    client = start(tiny, built_in)
    photo("a.png")
    hub.faults.append(Fault(WEIGHTS, trickle=True))
    install = client.call("models_install", KEY)
    assert hub.begun.wait(WAIT_S)
    request = IndexRequest((str(tmp_path / "media"),), ("colour-texture",))
    assert client.call("index", request).future.result(WAIT_S).spaces["colour-texture"].items == 1
    assert client.call("models_plan", KEY).future.result(WAIT_S).present_bytes >= 0
    assert not install.future.done()
    install.cancel()
    with pytest.raises(Cancelled):
        install.future.result(WAIT_S)
    hub.release.release()


def test_models_come_and_go_without_an_open_library(home: Path, hub: Hub) -> None:
    home.mkdir()
    tinymodel.write_catalogue(home / "catalogue.toml", tinymodel.entry(source=hub_source({"name": WEIGHTS})))
    client = EngineClient(ProcessLauncher(home, "tinymodel:source"))
    client.start()
    try:
        assert client.call("models_install", KEY).future.result(WAIT_S).ready
    finally:
        client.close()


def test_an_engine_that_is_closed_ends_its_download(start: Callable[..., EngineClient], hub: Hub, home: Path) -> None:
    client = start(tinymodel.entry(source=hub_source({"name": WEIGHTS})))
    hub.faults.append(Fault(WEIGHTS, trickle=True))
    install = client.call("models_install", KEY)
    assert hub.begun.wait(WAIT_S)
    closing = threading.Thread(target=client.close)
    closing.start()
    closing.join(WAIT_S)
    assert not closing.is_alive()
    assert install.future.done()
