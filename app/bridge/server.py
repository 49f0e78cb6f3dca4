"""The engine's end of the bridge: one process that holds one open library and answers requests in lanes."""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
import logging.handlers
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from app.bridge.messages import PART_HITS, Action, Answer, Control, Event, Fault, Lane, Part, Report, Request
from app.engine.errors import AppError
from app.engine.jobs import Cancelled, Job, Progress
from app.engine.libraries import libraries, restore
from app.engine.store.database import storage_error
from app.engine.types import SearchReply
from app.paths import log_path, models_dir

if TYPE_CHECKING:
    from app.engine.encoders.base import EncoderSource
    from app.engine.models import Models
    from app.engine.session import Session

log = logging.getLogger(__name__)

MODELS_PREFIX = "models_"
EVALUATIONS_PREFIX = "evaluations_"
LABELS_PREFIX = "labels_"
NICENESS = 5
"""Between the window and the decoders."""

LANES: dict[str, Lane] = {
    "open": Lane.BULK,
    "load_sample": Lane.BULK,
    "index": Lane.BULK,
    "verify": Lane.BULK,
    "forget_model": Lane.BULK,
    "give_back_space": Lane.BULK,
    "restore": Lane.BULK,
    "libraries": Lane.VIEW,
    "doctor": Lane.CHECK,
    "status": Lane.VIEW,
    "models": Lane.VIEW,
    "thumbnails": Lane.VIEW,
    "details": Lane.VIEW,
    "query_preview": Lane.VIEW,
    "search": Lane.QUICK,
    "set_models": Lane.QUICK,
    "set_settings": Lane.QUICK,
    "forget_root": Lane.QUICK,
    "evaluations_sets": Lane.QUICK,
    "evaluations_create_set": Lane.QUICK,
    "evaluations_change_set": Lane.QUICK,
    "evaluations_remove_set": Lane.QUICK,
    "evaluations_queries": Lane.QUICK,
    "evaluations_add_query": Lane.QUICK,
    "evaluations_change_query": Lane.QUICK,
    "evaluations_remove_query": Lane.QUICK,
    "evaluations_pool": Lane.QUICK,
    "evaluations_judge_all": Lane.QUICK,
    "evaluations_progress": Lane.EVALUATE,
    "evaluations_agreement": Lane.QUICK,
    "evaluations_import_folders": Lane.EVALUATE,
    "evaluations_import_examples": Lane.EVALUATE,
    "evaluations_import_captions": Lane.EVALUATE,
    "evaluations_import_topics": Lane.EVALUATE,
    "evaluations_disturbances": Lane.QUICK,
    "evaluations_robustness": Lane.EVALUATE,
    "evaluations_lists": Lane.QUICK,
    "evaluations_import_qrels": Lane.EVALUATE,
    "evaluations_export_qrels": Lane.EVALUATE,
    "evaluations_evaluate": Lane.EVALUATE,
    "evaluations_write_report": Lane.EVALUATE,
    "evaluations_export": Lane.EVALUATE,
    "evaluations_import_export": Lane.EVALUATE,
    "labels_status": Lane.QUICK,
    "labels_choose": Lane.QUICK,
    "labels_to_test_set": Lane.QUICK,
    "labels_of_item": Lane.VIEW,
    "labels_assign": Lane.EVALUATE,
    "models_plan": Lane.ADVICE,
    "models_advise": Lane.ADVICE,
    "models_install": Lane.FETCH,
    "models_add": Lane.FETCH,
    "models_remove": Lane.REMOVE,
    "models_verify": Lane.FETCH,
    "models_export_pack": Lane.FETCH,
    "models_pack_contents": Lane.ADVICE,
    "models_import_pack": Lane.FETCH,
    "models_carried_packs": Lane.ADVICE,
    "models_import_carried": Lane.FETCH,
    "models_measure": Lane.BULK,
}
"""Every method a window may call, and the lane it waits in.

``open``, ``libraries`` and ``doctor`` are the server's own. ``models_x`` is `Models.x`, which needs no library,
``evaluations_x`` is `Evaluations.x` of the open `Session` and ``labels_x`` its `Labels.x`, and all others are the
session's own methods. The session and `Models` share one `Catalogue`: what the one installs the other can use at once.
To remove a model does not wait for the download of another.
"""


def serve(connection: Connection, home: Path, encoders: str | None = None) -> None:
    """Answer requests until the other end closes. The target of the engine process."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to answer; it closes the engine
        _give_way()
    handler = _log_to(log_path(home))
    server = _Server(connection, home, encoders)
    try:
        server.run()
    finally:
        server.close()
        if handler:
            logging.getLogger().removeHandler(handler)
            handler.close()


class _Server:
    def __init__(self, connection: Connection, home: Path, encoders: str | None) -> None:
        self._connection = connection
        self._home = home
        self._encoders = encoders
        self._shared: tuple[EncoderSource, Models] | None = None
        self._sharing = threading.Lock()
        self._session: Session | None = None
        self._lanes = {lane: ThreadPoolExecutor(1, thread_name_prefix=f"lane-{lane}") for lane in Lane}
        self._jobs: dict[int, Job] = {}
        self._sending = threading.Lock()

    def run(self) -> None:
        while True:
            try:
                message: Request | Control | None = self._connection.recv()
            except (EOFError, OSError):
                return
            if message is None:
                return
            if isinstance(message, Control):
                self._control(message)
            else:
                self._accept(message)

    def close(self) -> None:
        for job in list(self._jobs.values()):
            job.cancel()
        for lane in self._lanes.values():
            lane.shutdown(cancel_futures=True)
        if self._session:
            self._session.close()
        self._connection.close()

    def _accept(self, request: Request) -> None:
        lane = LANES.get(request.method)
        if lane is None:
            self._send(Fault(request.id, _bug(f"The window asked for {request.method!r}, which the engine lacks.")))
            return
        self._jobs[request.id] = Job(lambda progress: self._report(request.id, progress))
        self._lanes[lane].submit(self._answer, request)

    def _control(self, control: Control) -> None:
        job = self._jobs.get(control.id)
        if job is None:  # it has just ended
            return
        match control.action:
            case Action.CANCEL:
                job.cancel()
            case Action.PAUSE:
                job.pause()
            case Action.RESUME:
                job.resume()

    def _answer(self, request: Request) -> None:
        job = self._jobs[request.id]
        reply: Answer | Fault
        try:
            job.check()
            reply = Answer(request.id, self._call(request, job))
        except (AppError, Cancelled) as error:
            reply = Fault(request.id, error)
        except Exception as error:
            log.exception("%s failed", request.method)
            told = storage_error(error) if isinstance(error, sqlite3.Error) else None
            reply = Fault(request.id, told or _bug(f"{type(error).__name__}: {error}"))
        finally:
            self._jobs.pop(request.id, None)
        self._send_in_parts(reply)

    def _call(self, request: Request, job: Job) -> Any:
        method = self._method(request.method)
        takes_job = "job" in inspect.signature(method).parameters
        return method(*request.args, **request.kwargs, **({"job": job} if takes_job else {}))

    def _method(self, name: str) -> Callable[..., Any]:
        if name == "open":
            return self._open
        if name == "libraries":
            return lambda: libraries(self._home)
        if name == "doctor":
            from app.engine.doctor import check_up

            return partial(check_up, self._home)
        if name == "restore":
            return lambda library: restore(self._home, library)
        asked: Callable[..., Any]
        if name.startswith(MODELS_PREFIX):
            asked = getattr(self._models()[1], name.removeprefix(MODELS_PREFIX))
        elif self._session is None:
            raise AppError("No library is open", "Open or create a library first.")
        elif name.startswith(EVALUATIONS_PREFIX):
            asked = getattr(self._session.evaluations, name.removeprefix(EVALUATIONS_PREFIX))
        elif name.startswith(LABELS_PREFIX):
            asked = getattr(self._session.labels, name.removeprefix(LABELS_PREFIX))
        else:
            asked = getattr(self._session, name)
        return asked

    def _open(self, library: str, job: Job) -> Any:
        from app.engine.session import Session

        with self._at_rest(Lane.QUICK, Lane.VIEW, Lane.EVALUATE):
            if self._session and self._session.name == library:
                return self._session.status()
            source, _ = self._models()
            opened = Session.open(self._home, library, encoders=source, job=job)
            if self._session:  # only now: a library that cannot be opened leaves the old one open
                self._session.close()
            self._session = opened
            opened.watch(lambda name, value: self._send(Event(name, value)))
        return opened.status()

    @contextmanager
    def _at_rest(self, *lanes: Lane) -> Iterator[None]:
        """What these lanes were asked before is done, with the library it was asked of; what comes later waits until
        the block ends: a judgment must never land in another library.

        Raises:
            Cancelled: the engine is closing.
        """
        go_on = threading.Event()
        resting = [Future[None]() for _ in lanes]

        def rest(reached: Future[None]) -> None:
            reached.set_result(None)
            go_on.wait()

        def give_up(work: Future[None], reached: Future[None]) -> None:
            if work.cancelled():
                reached.cancel()

        try:
            for lane, reached in zip(lanes, resting, strict=True):
                try:
                    work = self._lanes[lane].submit(rest, reached)
                except RuntimeError:  # so says a lane that was shut down
                    raise Cancelled from None
                work.add_done_callback(functools.partial(give_up, reached=reached))
            try:
                for reached in resting:
                    reached.result()
            except CancelledError:
                raise Cancelled from None
            yield
        finally:
            go_on.set()

    def _models(self) -> tuple[EncoderSource, Models]:
        """The source of encoders, the same for every library that is opened, and the façade that changes it."""
        from app.engine.encoders.catalogue import Catalogue
        from app.engine.models import Models

        with self._sharing:
            if self._shared is None:
                source = _source(self._encoders, self._home)
                self._shared = source, Models(self._home, source if isinstance(source, Catalogue) else None)
            return self._shared

    def _report(self, request_id: int, progress: Progress) -> None:
        self._send(Report(request_id, progress))

    def _send_in_parts(self, reply: Answer | Fault) -> None:
        if isinstance(reply, Answer) and isinstance(reply.value, SearchReply):
            hits = reply.value.hits
            last = max(0, len(hits) - 1) // PART_HITS * PART_HITS
            for begin in range(0, last, PART_HITS):
                self._send(Part(reply.id, hits[begin : begin + PART_HITS]))
            reply = Answer(reply.id, replace(reply.value, hits=hits[last:]))
        self._send(reply)

    def _send(self, message: Answer | Fault | Report | Part | Event) -> None:
        with self._sending:
            try:
                self._connection.send(message)
            except OSError:  # the window is gone; `run` sees the same and ends
                log.info("nobody is left to answer")


def _give_way() -> None:
    """Let the window, and all else a person works with, go first where they want the processor at the same time."""
    with suppress(psutil.Error):
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else NICENESS)


def _source(name: str | None, home: Path) -> EncoderSource:
    """The source of encoders called ``module:callable``; the catalogue if None."""
    if name is None:
        from app.engine.encoders.catalogue import Catalogue

        return Catalogue(models_dir(home))
    module, _, attribute = name.partition(":")
    source: EncoderSource = getattr(importlib.import_module(module), attribute)(models_dir(home))
    return source


def _bug(detail: str) -> AppError:
    return AppError(
        "Something went wrong inside Semblance",
        f"This is a fault of the program, not of your files. Nothing was lost. Details are in the log: {detail}",
    )


def _log_to(path: Path) -> logging.Handler | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:  # a read-only home is reported when the library is opened
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    return handler
