"""Downloads: every break is gone on from, nothing is asked for twice, and only one process opens a connection."""

from __future__ import annotations

import errno
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest
from hub import Fault, Hub, running, sha256

from app.engine.errors import AppError
from app.engine.installing.failures import told
from app.engine.installing.fetching import fetch
from app.engine.installing.orders import Found, Listing, Order, Wanted, part_of
from app.engine.jobs import Cancelled, Job, Progress

REPO = "maker/model"
DATA = bytes(range(256)) * 2000
SMALL = b'{"small": true}'
URL_FILE = "weights.pth"
MakeOrder = Callable[[Hub, Path], Order]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running() as started:
        started.put(REPO, {"big.bin": DATA, "small.json": SMALL})
        started.plain[f"/files/{URL_FILE}"] = DATA
        yield started


def hub_order(hub: Hub, folder: Path, *names: str) -> Order:
    files = tuple(Wanted(name, name, repo=REPO, revision="main") for name in names or ("big.bin",))
    return Order(files, hub.address, folder)


def url_order(hub: Hub, folder: Path) -> Order:
    return Order((Wanted(URL_FILE, URL_FILE, url=f"{hub.address}/files"),), hub.address, folder)


def bring(order: Order, job: Job | None = None) -> tuple[Found, ...]:
    order.folder.mkdir(exist_ok=True)
    return fetch(order, lambda _listing: None, job or Job())


def got(order: Order) -> dict[str, bytes]:
    return {file.name: part_of(order.folder, file.name).read_bytes() for file in order.files}


def test_files_of_a_hub_come_with_what_it_says_of_them(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in", "big.bin", "small.json")
    seen: list[Progress] = []
    big, small = bring(order, Job(seen.append, min_interval_s=0))
    assert got(order) == {"big.bin": DATA, "small.json": SMALL}
    assert big.checksum == f"sha256:{sha256(DATA)}"
    assert small.checksum.startswith("git-sha1:")
    assert {big.commit, small.commit} == {hub.repositories[REPO].commit}
    assert big.size_bytes == len(DATA)
    phases = [(progress.phase, progress.total, progress.in_bytes) for progress in seen]
    assert ("Asking the source", None, False) in phases
    assert ("Downloading", len(DATA) + len(SMALL), True) in phases


def test_nothing_but_the_files_is_asked_for_and_nothing_is_told(hub: Hub, tmp_path: Path) -> None:
    bring(hub_order(hub, tmp_path / "in"))
    allowed = ("/resolve/", "/cdn/")
    assert all(any(part in request.path for part in allowed) for request in hub.requests)
    for request in hub.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["user-agent"].startswith("semblance/")
        assert "torch" not in headers["user-agent"]
        assert headers["accept-encoding"] == "identity"
        assert not {"authorization", "cookie"} & set(headers)


def test_a_token_in_the_home_or_the_environment_is_not_sent(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "user"
    (home / ".cache" / "huggingface").mkdir(parents=True)
    (home / ".cache" / "huggingface" / "token").write_text("hf_secret")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    bring(hub_order(hub, tmp_path / "in"))
    assert not any("secret" in value for request in hub.requests for value in request.headers.values())
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["token"]


@pytest.mark.parametrize("make", [hub_order, url_order])
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_breaks_is_gone_on_from_by_itself(
    hub: Hub, tmp_path: Path, make: MakeOrder, reset: bool
) -> None:
    cuts = [100_000, 150_000]
    hub.faults.extend(Fault(cut_after=cut, reset=reset) for cut in cuts)
    order = make(hub, tmp_path / "in")
    bring(order)
    assert list(got(order).values()) == [DATA]
    gets = hub.gets()
    assert len(gets) == 3
    if not reset:  # a reset throws away what the receiver had not read yet
        assert [request.first_byte for request in gets] == [0, 100_000, 250_000]
        assert sum(request.sent_bytes for request in gets) == len(DATA)


@pytest.mark.parametrize("make", [hub_order, url_order])
def test_after_the_process_was_killed_only_what_is_missing_is_asked_for(
    hub: Hub, tmp_path: Path, make: MakeOrder
) -> None:
    order = make(hub, tmp_path / "in")
    hub.faults.append(Fault(trickle=True))
    failed: list[BaseException] = []

    def try_it() -> None:
        try:
            bring(order)
        except AppError as error:
            failed.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    assert hub.begun.wait(60)
    for _ in range(100):
        hub.release.release()
    wait_for(lambda: size_of(order) >= 20_000)
    download_process().kill()
    thread.join(60)
    assert "ended by itself" in str(failed[0])
    kept = size_of(order)
    bring(order)
    assert list(got(order).values()) == [DATA]
    (last,) = hub.gets()
    assert (last.first_byte, last.sent_bytes) == (kept, len(DATA) - kept)


def test_the_download_ends_with_the_process_that_asked_for_it(hub: Hub, tmp_path: Path) -> None:
    hub.faults.append(Fault(trickle=True))
    script = (
        "from pathlib import Path; from app.engine.installing.fetching import fetch\n"
        "from app.engine.installing.orders import Order, Wanted\n"
        f"order = Order((Wanted('big.bin', 'big.bin', repo={REPO!r}, revision='main'),), {hub.address!r}, "
        f"Path({str(tmp_path)!r}))\n"
        "fetch(order, lambda listing: None)"
    )
    engine = psutil.Popen([sys.executable, "-c", script])
    assert hub.begun.wait(60)
    children = engine.children(recursive=True)
    assert children
    engine.kill()
    engine.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_a_server_that_ignores_ranges_gives_the_file_from_its_beginning(hub: Hub, tmp_path: Path) -> None:
    order = url_order(hub, tmp_path / "in")
    hub.faults.extend([Fault(cut_after=300_000), Fault(ignore_range=True)])
    bring(order)
    assert got(order)[URL_FILE] == DATA
    assert [request.first_byte for request in hub.gets()] == [0, 0]


def test_a_file_that_changed_between_two_tries_begins_anew(hub: Hub, tmp_path: Path) -> None:
    for order, change in ((hub_order(hub, tmp_path / "a"), change_hub), (url_order(hub, tmp_path / "b"), change_url)):
        cut_for_good(hub, order)
        kept = size_of(order)
        assert kept >= 100_000
        change(hub)
        before = len(hub.gets())
        bring(order)
        assert list(got(order).values()) == [DATA[::-1]]
        assert [request.first_byte for request in hub.gets()[before:]] == [0]


def test_a_file_that_changes_during_the_download_is_never_mixed(hub: Hub, tmp_path: Path) -> None:
    order = url_order(hub, tmp_path / "in")
    hub.faults.append(Fault(cut_after=100_000))
    bring_changed(hub, order, DATA[::-1])
    assert got(order)[URL_FILE] == DATA[::-1]


def test_a_file_that_becomes_another_length_is_refused_and_begun_anew(hub: Hub, tmp_path: Path) -> None:
    order = url_order(hub, tmp_path / "in")
    hub.faults.append(Fault(cut_after=100_000))
    with pytest.raises(AppError, match="changed while it was fetched"):
        bring_changed(hub, order, DATA + DATA)
    assert not part_of(order.folder, URL_FILE).exists()
    bring(order)
    assert got(order)[URL_FILE] == DATA + DATA


def test_a_range_that_is_not_there_any_more_begins_anew(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    cut_for_good(hub, order)
    hub.faults.append(Fault(status=416))
    with pytest.raises(AppError, match="begins anew"):
        bring(order)
    assert size_of(order) == 0
    bring(order)
    assert got(order)["big.bin"] == DATA


def test_a_commit_that_is_pushed_during_the_download_does_not_mix_two(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in", "big.bin", "small.json")
    commit = hub.repositories[REPO].commit
    order.folder.mkdir()
    found = fetch(order, lambda _listing: change_hub(hub), Job())
    assert got(order)["big.bin"] == DATA
    assert {file.commit for file in found} == {commit}


def test_without_an_etag_or_a_date_nothing_is_trusted_to_be_the_same(hub: Hub, tmp_path: Path) -> None:
    hub.validators = False
    order = url_order(hub, tmp_path / "in")
    cut_for_good(hub, order)
    before = len(hub.gets())
    bring(order)
    assert got(order)[URL_FILE] == DATA
    assert hub.gets()[before].first_byte == 0


def test_a_server_that_answers_no_head_is_taken_from_all_the_same(hub: Hub, tmp_path: Path) -> None:
    hub.answers_head = False
    order = url_order(hub, tmp_path / "in")
    (found,) = bring(order)
    assert (found.size_bytes, got(order)[URL_FILE]) == (None, DATA)


def test_a_body_shorter_than_its_hub_says_is_no_file(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    hub.tampered = {"big.bin": DATA[:1000]}
    with pytest.raises(AppError, match="not as long"):
        bring(order)
    assert not part_of(order.folder, "big.bin").exists()


def test_a_slow_server_can_be_left_at_once_and_what_came_is_kept(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    hub.faults.append(Fault(trickle=True))
    job = Job()
    ended = threading.Event()

    def try_it() -> None:
        with pytest.raises(Cancelled):
            bring(order, job)
        ended.set()

    threading.Thread(target=try_it).start()
    assert hub.begun.wait(60)
    for _ in range(50):
        hub.release.release()
    wait_for(lambda: size_of(order) > 10_000)
    job.cancel()
    assert ended.wait(60)
    kept = size_of(order)
    bring(order)
    assert hub.gets()[-1].first_byte == kept
    assert got(order)["big.bin"] == DATA


def test_a_paused_download_asks_for_no_more_bytes(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    hub.faults.append(Fault(trickle=True))
    paused = threading.Event()
    job = Job(lambda progress: paused.set() if progress.paused else None, min_interval_s=0)
    ended = threading.Event()

    def try_it() -> None:
        bring(order, job)
        ended.set()

    threading.Thread(target=try_it).start()
    assert hub.begun.wait(60)
    job.pause()
    assert paused.wait(60)
    for _ in range(2000):
        hub.release.release()
    assert not ended.wait(0.5)
    job.resume()
    assert ended.wait(60)
    assert got(order)["big.bin"] == DATA


def test_a_server_that_is_silent_is_given_up(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "1")
    hub.always = Fault(silent=True)
    with pytest.raises(AppError, match="does not answer"):
        bring(hub_order(hub, tmp_path / "in"))


def test_a_server_that_vanishes_midway_is_told_of_and_what_came_is_kept(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    hub.faults.append(Fault(cut_after=100_000))
    seen = threading.Event()

    def vanish(progress: Progress) -> None:
        if progress.done and not seen.is_set():
            seen.set()
            hub.vanish()

    with pytest.raises(AppError, match="No connection to localhost: It could not be reached"):
        bring(order, Job(vanish, min_interval_s=0))
    assert size_of(order) == 100_000


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, "GatedRepo", "licence"),
        (403, "GatedRepo", "licence"),
        (403, "", "licence"),
        (404, "", "does not have this file"),
        (407, "", "proxy"),
        (418, "", "refused"),
        (503, "", "busy or broken"),
    ],
)
def test_what_a_server_refuses_with_is_said_in_a_sentence(
    hub: Hub, tmp_path: Path, status: int, code: str, says: str
) -> None:
    hub.always = Fault(status=status, error_code=code)
    for order in (hub_order(hub, tmp_path / "in"), url_order(hub, tmp_path / "in")):
        with pytest.raises(AppError, match=says):
            bring(order)


def test_a_refusal_after_the_first_answer_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    order = hub_order(hub, tmp_path / "in")
    hub.faults.extend([Fault(cut_after=100_000), Fault(status=503)])
    with pytest.raises(AppError, match="busy or broken"):
        bring(order)
    bring(order)
    assert [request.first_byte for request in hub.gets()] == [0, 100_000]


def test_missing_repositories_files_and_servers_are_told_apart(hub: Hub, tmp_path: Path) -> None:
    def order(address: str = hub.address, **wanted: str) -> Order:
        return Order((Wanted(**{"name": "a", "path": "a", "revision": "main", **wanted}),), address, tmp_path / "in")

    with pytest.raises(AppError, match="licence"):  # a hub says no more to somebody without an account
        bring(order(repo="no/where"))
    with pytest.raises(AppError, match="does not have this file"):
        bring(order(repo=REPO))
    with pytest.raises(AppError, match="could not be reached"):
        bring(order("http://127.0.0.1:9", repo=REPO))


def test_a_proxy_of_the_environment_is_asked_for_everything(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", hub.address)
    order = Order(hub_order(hub, tmp_path).files, "http://hub.example", tmp_path / "in")
    (found,) = bring(order)
    assert found.url.startswith("http://hub.example/")
    assert got(order) == {"big.bin": DATA}


@pytest.mark.parametrize(
    ("variable", "proxy", "says"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "the proxy that is not there"),
        ("HTTP_PROXY", "127.0.0.1:9", "the proxy that is not there"),
        ("HTTP_PROXY", "http://127.0.0.1:abc", "no address of a proxy"),
        ("ALL_PROXY", "what is this", "the proxy that is not there"),
        ("ALL_PROXY", "gopher://127.0.0.1:9", "no address of a proxy"),
    ],
)
def test_a_proxy_that_does_not_answer_or_is_none_is_named(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, says: str
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(AppError, match=says):
        bring(hub_order(hub, tmp_path))
    assert hub.requests == []


def test_the_room_is_looked_at_before_the_first_byte(hub: Hub, tmp_path: Path) -> None:
    def refuse(listing: Listing) -> None:
        assert sum(file.size_bytes or 0 for file in listing.files) == len(DATA)
        raise AppError("no", "room")

    with pytest.raises(AppError, match="room"):
        fetch(hub_order(hub, tmp_path), refuse)
    assert hub.gets() == []


def test_a_server_cannot_send_more_than_the_file_has(hub: Hub, tmp_path: Path) -> None:
    hub.faults.append(Fault(URL_FILE, endless=True))
    order = url_order(hub, tmp_path)
    with pytest.raises(AppError, match="not as long any more"):
        bring(order)
    assert not part_of(tmp_path, URL_FILE).exists()
    bring(order)
    assert got(order) == {URL_FILE: DATA}


def test_a_server_that_says_no_size_cannot_fill_the_disk(hub: Hub, tmp_path: Path) -> None:
    hub.answers_head = False
    hub.faults.append(Fault(URL_FILE, endless=True))
    with pytest.raises(AppError, match="disk is full"):
        bring(replace(url_order(hub, tmp_path), spare_bytes=10**18))


@pytest.mark.parametrize("answers_head", [True, False])
def test_a_size_that_is_known_beforehand_is_held_against_the_server(
    hub: Hub, tmp_path: Path, answers_head: bool
) -> None:
    hub.answers_head = answers_head
    order = url_order(hub, tmp_path)
    longer, right = (replace(order.files[0], size_bytes=len(DATA) + more) for more in (1, 0))
    with pytest.raises(AppError, match="another file" if answers_head else "not as long"):
        bring(replace(order, files=(longer,)))
    (found,) = bring(replace(order, files=(right,)))
    assert found.size_bytes == len(DATA)


def test_the_process_that_asks_stays_offline_and_opens_no_connection(hub: Hub, tmp_path: Path) -> None:
    script = (
        "import sys, os\n"
        "events = []\n"
        "def note(event, arguments):\n"
        "    if event.startswith('socket.') and event != 'socket.__new__': events.append((event, arguments))\n"
        "sys.addaudithook(note)\n"
        "from pathlib import Path\n"
        "import app.engine.encoders\n"
        "from app.engine.installing.fetching import fetch\n"
        "from app.engine.installing.orders import Order, Wanted\n"
        f"order = Order((Wanted('big.bin', 'big.bin', repo={REPO!r}, revision='main'),), {hub.address!r}, "
        f"Path({str(tmp_path)!r}))\n"
        "fetch(order, lambda listing: None)\n"
        "assert not events, events\n"
        "assert os.environ['HF_HUB_OFFLINE'] == '1'\n"
        "assert 'huggingface_hub' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "big.bin.part").read_bytes() == DATA


def test_what_no_server_here_can_provoke_is_told_in_a_sentence_too(tmp_path: Path) -> None:
    def unreachable(cause: Exception) -> str:
        error = httpx2.ConnectError("failed", request=httpx2.Request("GET", "https://hub.example/file"))
        error.__cause__ = cause
        return str(told(error, tmp_path))

    assert "No address is known for hub.example" in unreachable(socket.gaierror(-2, "Name or service not known"))
    assert "certificate of hub.example" in unreachable(ssl.SSLCertVerificationError("self-signed"))
    assert "disk is full" in str(told(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), tmp_path))
    assert told(ValueError("a fault of the program"), tmp_path) is None


# --- helpers ---


def size_of(order: Order) -> int:
    part = part_of(order.folder, order.files[0].name)
    return part.stat().st_size if part.exists() else 0


def cut_for_good(hub: Hub, order: Order) -> None:
    """Break a download so that it stays broken: what has come is kept."""
    hub.faults.extend([Fault(cut_after=100_000), Fault(status=503)])
    with pytest.raises(AppError, match="busy or broken"):
        bring(order)


def change_hub(hub: Hub) -> None:
    hub.put(REPO, {"big.bin": DATA[::-1]})


def change_url(hub: Hub) -> None:
    hub.plain[f"/files/{URL_FILE}"] = DATA[::-1]


def bring_changed(hub: Hub, order: Order, data: bytes) -> None:
    """Fetch while the file at the URL becomes another after its first bytes."""

    def change(progress: Progress) -> None:
        if progress.done:
            hub.plain[f"/files/{URL_FILE}"] = data

    bring(order, Job(change, min_interval_s=0))


def download_process() -> psutil.Process:
    (child,) = (child for child in multiprocessing.active_children() if child.name == "semblance-download")
    return psutil.Process(child.pid)


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")
