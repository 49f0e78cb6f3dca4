"""The commands about labels: choose a list of words, give them to pictures, see what a file was given."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.answers import Answer, open_session
from app.cli.documents import plain
from app.cli.progress import watched
from app.engine.errors import AppError
from app.engine.labeltypes import FileLabels, LabelStatus


def labels(options: argparse.Namespace, home: Path) -> Answer:
    with open_session(options, home) as session:
        return _ACTIONS[options.action](session, options)


def _list(session: Any, _options: argparse.Namespace) -> Answer:
    return _shown(session.labels.status())


def _set(session: Any, options: argparse.Namespace) -> Answer:
    names = options.names if options.file is None else _read_names(options.file)
    if not any(name.strip() for name in names):
        raise AppError(
            "There is no word in this list",
            "Give a label on each line. `semblance labels clear` takes all labels away.",
            options.file or "",
        )
    return _shown(session.labels.choose(names, options.model))


def _clear(session: Any, _options: argparse.Namespace) -> Answer:
    return _shown(session.labels.choose(()))


def _assign(session: Any, _options: argparse.Namespace) -> Answer:
    with watched() as job:
        return _shown(session.labels.assign(job))


def _of(session: Any, options: argparse.Namespace) -> Answer:
    found: tuple[FileLabels, ...] = session.labels.of_file(options.file)
    return Answer({"path": options.file, "moments": plain(found)}, lambda console: _print_file(console, found))


def _judge(session: Any, _options: argparse.Namespace) -> Answer:
    made = session.labels.to_test_set()
    return Answer(
        plain(made),
        lambda console: console.print(
            f"The set “{escape(made.name)}” asks for {made.queries:,} labels. Judge it on the Evaluate page."
        ),
    )


_ACTIONS: dict[str, Callable[[Any, argparse.Namespace], Answer]] = {
    "list": _list,
    "set": _set,
    "clear": _clear,
    "assign": _assign,
    "of": _of,
    "judge": _judge,
}


def check_known(session: Any, names: Sequence[str]) -> None:
    """Raises AppError: the library has no such label."""
    known = {label.name for label in session.labels.status().labels} if names else set()
    if unknown := [name for name in names if name not in known]:
        raise AppError("There is no such label", f"{unknown[0]!r} was given; `semblance labels list` names those.")


def _read_names(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        reason = error.strerror or str(error)
        raise AppError("This list of labels cannot be read", f"{reason}. Give a text file.", file) from error
    except UnicodeDecodeError as error:
        raise AppError(
            "This list of labels cannot be read", "It is no text in UTF-8: save it as that.", file
        ) from error


def _shown(status: LabelStatus) -> Answer:
    return Answer(plain(status), lambda console: _print_status(console, status))


def _print_status(console: Console, status: LabelStatus) -> None:
    if not status.labels:
        console.print("There are no labels yet: semblance labels set NAME,NAME")
        return
    table = Table("label", "pictures", "judged", "right", box=None, pad_edge=False)
    for label in status.labels:
        judged = (f"{label.judged:,}", f"{label.right:,}") if label.judged else ("–", "–")
        table.add_row(escape(label.name), f"{label.items:,}", *judged)
    console.print(table)
    console.print(f"[dim]Given by {status.model or 'no model yet'}; {_worth(status)}.")
    if status.pending:
        console.print(f"{status.pending:,} pictures have not been looked at: semblance labels assign")


def _worth(status: LabelStatus) -> str:
    if status.calibrated:
        return f"confidences follow {status.judged:,} judgments"
    return "confidences are the model's own: `semblance labels judge` makes a set to judge them by"


def _print_file(console: Console, found: Sequence[FileLabels]) -> None:
    if not found:
        console.print("No label fits this file, or it was not looked at yet.")
    for one in found:
        moment = "" if one.start_ms is None else f"[cyan]{one.start_ms / 1000:.1f} s[/] "
        console.print(moment + ", ".join(f"{escape(label.name)} {label.confidence:.0%}" for label in one.labels))
