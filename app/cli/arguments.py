"""What can be said on the command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from app import __version__
from app.cli.measuringarguments import add_evaluate, add_report, add_robustness
from app.cli.queryarguments import add_judge, add_queries
from app.cli.values import keys, path, positive, whole
from app.engine.types import MediaKind, Modality

LONGEST_MS = 2**31 - 1
"""Some 24 days: no film is longer."""

_SEARCHED = {"photos": Modality.IMAGE, "videos": Modality.IMAGE, "sounds": Modality.AUDIO}

DESCRIPTION = """Find what is alike in your own photos, videos and sounds, offline, and measure which model is best on
your own data. Without a command, the window opens."""


Check = Callable[[argparse.ArgumentParser, argparse.Namespace], str]
"""Tells what is wrong with options that are right one by one, "" if nothing is; a parser's default of this name."""


class _Parser(argparse.ArgumentParser):
    """A verb's: its options may stand among and before the names that it takes any number of."""

    _is_within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed = self._parsed(args, namespace)
        check: Check | None = self.get_default("check")
        if check and not self._is_within and (problem := check(self, parsed[0])):
            self.error(problem)
        return parsed

    def _parsed(self, args: Any, namespace: Any) -> Any:
        takes_many = any(action.nargs in ("*", "+") for action in self._get_positional_actions())
        if self._is_within or not takes_many or "--" in (args or ()):  # intermixed, what follows that is lost
            return super().parse_known_args(args, namespace)
        self._is_within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_within = False


def parser() -> argparse.ArgumentParser:
    # Suppressed defaults: what stands before the verb is not undone by what does not stand after it.
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_shared(shared)
    root = argparse.ArgumentParser(prog="semblance", description=DESCRIPTION, argument_default=argparse.SUPPRESS)
    root.add_argument("--version", action="version", version=f"semblance {__version__}")
    root.set_defaults(home=None, library=None, json=False, files=())
    _add_shared(root)
    verbs = root.add_subparsers(dest="verb", metavar="COMMAND", parser_class=_Parser)
    _add_index(verbs.add_parser("index", parents=[shared], help="index folders, or all known folders again"))
    _add_search(verbs.add_parser("search", parents=[shared], help="find by words, by a picture or by a sound"))
    verbs.add_parser("status", parents=[shared], help="what the library holds")
    _add_settings(verbs.add_parser("settings", parents=[shared], help="how this library is indexed"))
    forget = verbs.add_parser(
        "forget", parents=[shared], help="take a folder out of the library; files are not touched"
    )
    forget.add_argument("folder", metavar="FOLDER")
    verbs.add_parser("verify", parents=[shared], help="check the library for damage, and mend what can be mended")
    verbs.add_parser(
        "restore",
        parents=[shared],
        help="go back to the copy of a library from before a newer version changed it",
        description="Put back the copy of a library from before a newer version changed it, or whose database is gone. "
        "What was done since is not in the copy; the newer library is kept beside it.",
    )
    models = verbs.add_parser("models", parents=[shared], help="choose, install, verify, add and pack models")
    _add_models(models.add_subparsers(dest="action", metavar="ACTION", required=True), shared)
    judge = verbs.add_parser("judge", parents=[shared], help="take in or give out judgments as TREC qrels")
    actions = judge.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_judge(actions, shared)
    queries = verbs.add_parser("queries", parents=[shared], help="sets of test queries, and what is taken into them")
    add_queries(queries.add_subparsers(dest="action", metavar="ACTION", required=True), shared)
    labels = verbs.add_parser("labels", parents=[shared], help="give pictures the likeliest words of a list")
    _add_labels(labels.add_subparsers(dest="action", metavar="ACTION", required=True), shared)
    add_evaluate(verbs.add_parser("evaluate", parents=[shared], help="measure every model by the judgments"))
    add_robustness(
        verbs.add_parser("robustness", parents=[shared], help="ask the test queries again, made worse, and measure")
    )
    add_report(verbs.add_parser("report", parents=[shared], help="write, export, check or take in an evaluation"))
    _add_bench(verbs.add_parser("bench", parents=[shared], help="measure the program on this machine"))
    verbs.add_parser(
        "doctor",
        parents=[shared],
        help="check that this machine has what is needed, and say what is not",
        description="Try every decoder, index, database, network, graphics card and folder, and say what to do about "
        "what does not work. Takes some ten seconds; nothing is changed.",
    )
    verbs.add_parser("demo", parents=[shared], help="index the sample library and show what can be done with it")
    place = _Parser(add_help=False, argument_default=argparse.SUPPRESS)  # a window prints no document
    _add_place(place)
    _add_window(verbs.add_parser("window", parents=[place], help="open the window, and search by files"))
    return root


def window_parser() -> argparse.ArgumentParser:
    """What can be said to the program that is the window alone."""
    alone = _Parser(prog="semblance-window", description="Find what is alike in your own photos, videos and sounds.")
    alone.add_argument("--version", action="version", version=f"semblance {__version__}")
    _add_place(alone)
    _add_window(alone)
    return alone


def _add_shared(parser: argparse.ArgumentParser) -> None:
    """The options of every verb, which may stand before or after it."""
    _add_place(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", metavar="DIR", help="the data folder (libraries and models)")
    parser.add_argument("--library", metavar="NAME", help="the library's name (default)")


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", metavar="FILE", nargs="*", default=(), help="pictures, videos or a sound to search by; folders to add"
    )


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="folders to index; none: all known ones again")
    parser.add_argument("--models", metavar="KEY,KEY", type=keys, default=(), help="the models to encode with")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frame-interval-s", metavar="S", type=_seconds_ms, help="a frame of a video every S seconds")
    parser.add_argument("--audio-window-s", metavar="S", type=_seconds_ms, help="a sound is cut every S seconds")
    parser.add_argument(
        "--exclude",
        metavar="PATTERN",
        type=_pattern,
        action="append",
        default=[],
        help="leave such names out too (* and ?); once for each",
    )
    parser.add_argument(
        "--include",
        metavar="PATTERN",
        type=_pattern,
        action="append",
        default=[],
        help="no longer leave out what a pattern named; once for each",
    )
    parser.add_argument(
        "--exclude-nothing", action="store_true", default=False, help="forget all patterns, before --exclude adds any"
    )
    for name, text in (("hidden", "look into hidden files and folders"), ("watch", "follow changes while it is open")):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=text)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", default=None, help="measure on these files; else on made ones"
    )
    parser.add_argument(
        "--only", metavar="NAME,NAME", type=_names, default=(), help="some measurements alone; `list` names them"
    )
    parser.add_argument("--scale", metavar="X", type=_positive_number, default=1.0, help="smaller is quicker (1.0)")
    parser.add_argument("--runs", metavar="N", type=positive, default=5, help="how often each side is timed (5)")


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", metavar="T", action="append", default=[], help="words to search for")
    parser.add_argument(
        "--image", metavar="FILE", action="append", default=[], help="a picture or a video to search by"
    )
    parser.add_argument("--audio", metavar="FILE", help="a sound, or a video's sound track, to search by")
    parser.add_argument("--minus-text", metavar="T", action="append", default=[], help="words to lean away from")
    parser.add_argument(
        "--text-weight", metavar="W", type=_weight, default=1.0, help="how much the words count in a mix"
    )
    parser.add_argument("--image-weight", metavar="W", type=_weight, default=1.0, help="how much each picture counts")
    parser.add_argument(
        "--at-ms", metavar="MS", type=_moment_ms, default=0, help="the moment of the video or sound given"
    )
    parser.add_argument("--model", metavar="KEY", help="the model to ask; else the best one that understands the query")
    parser.add_argument("-k", metavar="N", type=positive, default=10, help="how many results (10)")
    parser.add_argument(
        "--kind", metavar="KIND,KIND", type=_kinds, default=frozenset(MediaKind), help="photo,video,audio"
    )
    parser.add_argument("--under", metavar="FOLDER", help="only files below this folder")
    parser.add_argument("--after", metavar="YYYY-MM-DD", help="only files taken on this day or later")
    parser.add_argument("--before", metavar="YYYY-MM-DD", help="only files taken on this day or earlier")
    parser.add_argument(
        "--label", metavar="NAME", action="append", default=[], help="only what has this label; once for each of any"
    )
    parser.add_argument("--exact", action="store_true", help="compare every vector rather than ask the graph")
    parser.add_argument(
        "--min-precision",
        metavar="SHARE",
        type=_share,
        default=None,
        help="only results that are right in this share of all cases, by your judgments: 0.9",
    )
    parser.add_argument("--no-keywords", action="store_true", help="search by meaning alone")


def _add_labels(actions: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[shared], help=text)

    action("list", "the labels, and how many pictures have each")
    chosen = action("set", "choose the labels of this library, in place of those it had")
    source = chosen.add_mutually_exclusive_group(required=True)
    source.add_argument("names", metavar="NAME,NAME", nargs="?", type=keys, default=None)
    source.add_argument("--file", metavar="FILE", default=None, help="a text file with a label on each line")
    chosen.add_argument("--model", metavar="KEY", default="", help="the model that gives them; else the first that can")
    action("clear", "take all labels away")
    action("assign", "give the labels to the pictures that have none yet")
    action("of", "the labels of a file").add_argument("file", metavar="FILE")
    action("judge", "make a set of test queries in which the labels are judged")


def _add_models(actions: argparse._SubParsersAction[_Parser], shared: _Parser) -> None:
    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[shared], help=text)

    action("list", "every model as it stands here")
    action("info", "all that is known of a model").add_argument("key", metavar="KEY")
    install = action("install", "download models, once you agree to source, size and licence")
    install.add_argument("keys", metavar="KEY", nargs="+")
    install.add_argument("--yes", action="store_true", default=False, help="agree without being asked")
    install.add_argument("--mirror", metavar="URL", default="", help="a server that holds the same files")
    remove = action("remove", "delete a model's files; what it computed stays in the libraries")
    remove.add_argument("key", metavar="KEY")
    verify = action("verify", "hash the files of models and hold them against what was installed")
    verify.add_argument("keys", metavar="KEY", nargs="*", help="none: all that are here")
    add = action("add", "take in a checkpoint of your own")
    add.add_argument("file", metavar="PATH", type=path, help="a weights file, or a folder in open_clip's layout")
    for name, text in (
        ("family", "open_clip, timm or panns; else found out"),
        ("architecture", "its name in that family; else found out"),
        ("key", "what it is called on the command line; else as the file, or its folder if it is called 'model' or so"),
        ("name", "what it is called in lists; else likewise"),
        ("licence", "its licence, as SPDX names it"),
    ):
        add.add_argument(f"--{name}", metavar=name.upper(), default="", help=text)
    export = action("export-pack", "write models into one file, for a machine without a network")
    export.add_argument("file", metavar="FILE", type=path)
    export.add_argument("keys", metavar="KEY", nargs="*", help="none: all that are here")
    export.add_argument("--replace", action="store_true", default=False, help="a file of that name gives way")
    taken = action("import-pack", "take the models of a pack in")
    source = taken.add_mutually_exclusive_group(required=True)
    source.add_argument("file", metavar="FILE", type=path, nargs="?", default=None)
    source.add_argument(
        "--carried", action="store_true", default=False, help="those that this copy of the program carries inside"
    )
    taken.add_argument("--expect", metavar="SHA256", default="", help="what export-pack told; another pack is refused")
    taken.add_argument(
        "--replace", action="store_true", default=False, help="a model that is here with other files gives way"
    )
    advise = action("advise", "which models fit what you want to find, the best first")
    advise.add_argument(
        "--kinds", metavar="KIND,KIND", type=_searched, default=None, help="photos,videos,sounds; else what is indexed"
    )
    advise.add_argument(
        "--by", choices=("words", "example"), default="words", help="search by words too, or by example alone (words)"
    )
    advise.add_argument("--languages", metavar="TAG,TAG", type=_names, default=("en",), help="of the words, as de,en")
    advise.add_argument("--commercial", action="store_true", default=False, help="for use at work")
    advise.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="what models run on")
    measure = action("measure", "time models on this machine, so that advice can tell how long they would take")
    measure.add_argument("keys", metavar="KEY", nargs="*", help="none: all that are here")
    forget = action("forget", "delete what a model computed, and free its space")
    forget.add_argument("key", metavar="KEY")
    forget.add_argument(
        "--earlier", action="store_true", default=False, help="only what it computed with weights it no longer has"
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"give a share above 0 and up to 1, as 0.9: {text!r}")
    return value


def _names(text: str) -> tuple[str, ...]:
    if not (names := keys(text)):
        raise argparse.ArgumentTypeError("give at least one name")
    return names


def _kinds(text: str) -> frozenset[MediaKind]:
    kinds = keys(text)
    for kind in kinds:
        if kind not in list(MediaKind):
            raise argparse.ArgumentTypeError(f"{kind!r} is no kind of file; choose from {', '.join(MediaKind)}")
    if not kinds:
        raise argparse.ArgumentTypeError(f"name a kind of file: {', '.join(MediaKind)}")
    return frozenset(map(MediaKind, kinds))


def _searched(text: str) -> frozenset[Modality]:
    kinds = _names(text)
    for kind in kinds:
        if kind not in _SEARCHED:
            raise argparse.ArgumentTypeError(f"{kind!r} cannot be searched for; choose from {', '.join(_SEARCHED)}")
    return frozenset(_SEARCHED[kind] for kind in kinds)


def _pattern(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a pattern cannot be empty; write one as '*.tmp' or 'cache/*'")
    return text.strip()


def _weight(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError("give a finite number")
    return number


def _positive_number(text: str) -> float:
    number = _weight(text)
    if number <= 0:
        raise argparse.ArgumentTypeError("give a number above 0")
    return number


def _seconds_ms(text: str) -> int:
    return round(min(_positive_number(text) * 1000, LONGEST_MS))


def _moment_ms(text: str) -> int:
    number = whole(text)
    if not 0 <= number <= LONGEST_MS:
        raise argparse.ArgumentTypeError("give milliseconds from the beginning, 0 or more")
    return number
