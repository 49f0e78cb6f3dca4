"""What can be said of test queries and judgments on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from app.engine.judgingtypes import Scale

SET_HELP = "the set of test queries"


def add_queries(actions: Any, shared: argparse.ArgumentParser) -> None:
    """The actions of ``semblance queries``; ``actions`` are its subparsers."""

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(name, parents=[shared], help=text)
        return made

    action("sets", "the sets of test queries, and how far each is judged")
    _add_set(action("list", "test queries, and how far each is judged"), f"{SET_HELP}; else of all")
    add = action("add", "keep a query")
    add.add_argument("--text", metavar="T", action="append", default=[], help="words to search for")
    add.add_argument("--image", metavar="FILE", action="append", default=[], help="a picture or a video to search by")
    add.add_argument("--audio", metavar="FILE", help="a sound to search by")
    add.add_argument("--title", metavar="T", default="", help="what it is called in lists")
    add.add_argument("--guidelines", metavar="T", default="", help="what counts as relevant")
    _add_set(add, f"{SET_HELP}, made if it is not there; else the usual one")
    change = action("change", "change what a query is called, or what counts as relevant")
    change.add_argument("id", metavar="ID", type=int, help="as `queries list` numbers it")
    change.add_argument("--title", metavar="T", default=None, help="what it is called in lists")
    change.add_argument("--guidelines", metavar="T", default=None, help="what counts as relevant; '' for none")
    remove = action("remove", "remove queries with their judgments")
    remove.add_argument("ids", metavar="ID", type=int, nargs="+", help="as `queries list` numbers them")
    _add_sets(action)
    for name, what, text in (
        ("import-folders", "DIR", "a folder per class: each file asks for the others of its class"),
        ("import-examples", "DIR", "every file of a folder is a query, with nothing judged"),
        ("import-captions", "FILE", "a table of files and captions (CSV): each caption asks for its file"),
        ("import-topics", "FILE", "TREC topics, or lines of a number, a tab and words"),
    ):
        one = action(name, text)
        one.add_argument("path", metavar=what)
        _add_set(one, f"{SET_HELP} that takes them; else one called as the file or folder")


def _add_sets(action: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """The actions that make, change and remove a set."""
    for name, text in (("add-set", "make a set"), ("change-set", "change a set's name, scale or guidelines")):
        one = action(name, text)
        one.add_argument("name", metavar="NAME")
        if name == "change-set":
            one.add_argument("--rename", metavar="NEW", default=None, help="its new name")
        one.add_argument(
            "--scale",
            choices=tuple(Scale),
            default=None,
            help="relevant or not, or grades from 0 to 3; no grade is lost",
        )
        one.add_argument("--guidelines", metavar="T", default=None, help="what counts as relevant; '' for none")
    remove = action("remove-set", "remove a set with its queries and judgments")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", default=False, help="without being asked")


def add_judge(actions: Any, shared: argparse.ArgumentParser) -> None:
    """The actions of ``semblance judge``."""
    for name, text, whose in (
        ("import", "take judgments in", "whose judgments they are; else your own"),
        ("export", "write judgments", "whose judgments, '' being your own; else of all judges together"),
    ):
        action = actions.add_parser(name, parents=[shared], help=text)
        action.add_argument("file", metavar="FILE")
        _add_set(action, f"{SET_HELP}; else " + ("the usual one" if name == "import" else "all"))
        action.add_argument("--judge", metavar="NAME", default=None, help=whose)
        if name == "export":
            action.add_argument("--replace", action="store_true", help="replace a file of that name")


def add_imports(parser: argparse.ArgumentParser) -> None:
    """What ``semblance evaluate`` takes in before it measures."""
    parser.add_argument(
        "--from-folders", metavar="DIR", default="", help="take in a folder per class, and measure by it"
    )
    parser.add_argument(
        "--from-captions", metavar="CSV", default="", help="take in a table of files and captions, and measure by it"
    )
    parser.add_argument(
        "--qrels", metavar="FILE", default="", help="take in judgments (TREC qrels), and measure by them"
    )


def _add_set(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--set", metavar="NAME", default="", help=text)
