"""``semblance models …``: which models there are, and how they come to this machine and leave it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from app import settings
from app.cli import documents, modeltables, tables
from app.cli.answers import DONE, FAILED, Answer, open_session
from app.cli.asking import ask
from app.cli.progress import watched
from app.engine.errors import AppError
from app.engine.modeltypes import AddRequest, InstallPlan, Needs
from app.engine.types import Modality
from app.paths import libraries_dir


def models(options: argparse.Namespace, home: Path) -> Answer:
    return _ACTIONS[options.action](options, home)


def _facade(home: Path) -> Any:
    from app.engine.models import Models  # numpy is loaded only by a command that needs it

    return Models(home)


def _list(_options: argparse.Namespace, home: Path) -> Answer:
    facade = _facade(home)
    statuses, carried, left_out = facade.statuses(), facade.carried_packs(), facade.left_out()

    def show(console: Console) -> None:
        tables.models(console, statuses)
        modeltables.offered(console, carried)
        for sentence in left_out:
            console.print(sentence, markup=False)

    document = {"carried": documents.plain(carried), "left_out": list(left_out)}
    return Answer(documents.models(statuses) | document, show)


def _info(options: argparse.Namespace, home: Path) -> Answer:
    status = _facade(home).status(options.key)
    return Answer(documents.plain(status), lambda console: modeltables.info(console, status))


def _install(options: argparse.Namespace, home: Path) -> Answer:
    facade = _facade(home)
    lacking = [key for key in dict.fromkeys(options.keys) if not facade.status(key).ready]
    plans = {plan.key: plan for plan in (facade.plan(key, options.mirror) for key in lacking)}
    if plans and not options.yes:
        _ask_consent(tuple(plans.values()))
    with watched() as job:
        for key in lacking:
            facade.install(key, options.mirror, job)
    statuses = [facade.status(key) for key in options.keys]
    return Answer(documents.models(statuses), lambda console: modeltables.installed(console, statuses))


def _ask_consent(plans: Sequence[InstallPlan]) -> None:
    """Raises AppError where a person does not agree, or none is there to ask."""
    modeltables.plans(Console(stderr=True), plans)
    nobody = "Nobody is here to agree to source, size and licence. Read them, and add --yes."
    ask("Fetch this?", "Nothing was fetched", nobody)


def _remove(options: argparse.Namespace, home: Path) -> Answer:
    _facade(home).remove(options.key)
    return Answer({"removed": options.key}, lambda console: modeltables.removed(console, options.key))


def _verify(options: argparse.Namespace, home: Path) -> Answer:
    with watched() as job:
        checks = _facade(home).verify(options.keys, job)
    status = FAILED if any(check.problems for check in checks) else DONE
    document = {"checks": documents.plain(checks)}
    return Answer(document, lambda console: modeltables.verified(console, checks), status)


def _forget(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session, watched() as job:
        status = session.forget_model(options.key, job, options.earlier)
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
        path = str(Path(options.file).absolute())
        report = _facade(home).export_pack(options.keys, path, options.replace, job)
    return Answer(documents.plain(report), lambda console: modeltables.pack(console, report))


def _import_pack(options: argparse.Namespace, home: Path) -> Answer:
    if options.carried and (options.expect or options.replace):
        raise AppError("These options do not go together", "--expect and --replace are for a FILE, not for --carried.")
    with watched() as job:
        if options.carried:
            reports = _facade(home).import_carried(job)
            return Answer({"packs": documents.plain(reports)}, lambda console: modeltables.carried(console, reports))
        path = str(Path(options.file).absolute())
        report = _facade(home).import_pack(path, options.replace, options.expect, job)
    return Answer(documents.plain(report), lambda console: modeltables.pack(console, report))


def _advise(options: argparse.Namespace, home: Path) -> Answer:
    items: dict[Modality, int] = {}
    if (libraries_dir(home) / (options.library or settings.load(home).library)).is_dir():
        with suppress(AppError), open_session(options, home) as session:  # a window may have it: then without times
            for kind, count in session.status().items.items():
                if count:
                    items[kind.modality] = items.get(kind.modality, 0) + count
    kinds = options.kinds or frozenset(items) or frozenset({Modality.IMAGE})
    needs = Needs(kinds, options.by == "words", options.languages, options.commercial, options.device)
    advice = _facade(home).advise(needs, items)
    return Answer(documents.plain(advice), lambda console: modeltables.advice(console, advice))


def _measure(options: argparse.Namespace, home: Path) -> Answer:
    models = _facade(home)
    with watched() as job:
        report = models.measure(options.keys, job)
    status = FAILED if report.failed else DONE
    return Answer(documents.plain(report), lambda console: modeltables.measured(console, report), status)


_ACTIONS: dict[str, Callable[[argparse.Namespace, Path], Answer]] = {
    "list": _list,
    "info": _info,
    "install": _install,
    "remove": _remove,
    "verify": _verify,
    "forget": _forget,
    "advise": _advise,
    "measure": _measure,
    "add": _add,
    "export-pack": _export_pack,
    "import-pack": _import_pack,
}
