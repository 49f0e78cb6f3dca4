"""``semblance models …``: which models there are, and how they come to this machine and leave it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli import documents, modeltables, tables
from app.cli.answers import Answer, open_session
from app.cli.progress import watched
from app.engine.modeltypes import AddRequest


def models(options: argparse.Namespace, home: Path) -> Answer:
    return _ACTIONS[options.action](options, home)


def _facade(home: Path) -> Any:
    from app.engine.models import Models  # numpy is loaded only by a command that needs it

    return Models(home)


def _list(_options: argparse.Namespace, home: Path) -> Answer:
    statuses = _facade(home).statuses()
    return Answer(documents.models(statuses), lambda console: tables.models(console, statuses))


def _forget(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        status = session.forget_model(options.key, job)
    return Answer(documents.plain(status), lambda console: tables.status(console, status))


def _add(options: argparse.Namespace, home: Path) -> Answer:
    request = AddRequest(
        str(Path(options.file).absolute()),
        options.family,
        options.architecture,
        options.key,
        options.name,
        options.licence,
    )
    with watched() as job:
        added = _facade(home).add(request, job)
    return Answer(documents.models([added]), lambda console: modeltables.installed(console, [added]))


def _export_pack(options: argparse.Namespace, home: Path) -> Answer:
    with watched() as job:
        report = _facade(home).export_pack(options.keys, str(Path(options.file).absolute()), job)
    return Answer(documents.plain(report), lambda console: modeltables.pack(console, report))


def _import_pack(options: argparse.Namespace, home: Path) -> Answer:
    with watched() as job:
        report = _facade(home).import_pack(str(Path(options.file).absolute()), job)
    return Answer(documents.plain(report), lambda console: modeltables.pack(console, report))


_ACTIONS: dict[str, Callable[[argparse.Namespace, Path], Answer]] = {
    "list": _list,
    "forget": _forget,
    "add": _add,
    "export-pack": _export_pack,
    "import-pack": _import_pack,
}
