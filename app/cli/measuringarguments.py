"""What can be said of measuring on the command line: ``evaluate``, ``robustness`` and ``report``."""

from __future__ import annotations

import argparse

from app.cli.queryarguments import add_imports
from app.cli.values import keys, path, positive, whole

_OF_A_PAGE = {"title": "--title", "pictures": "--no-pictures", "query": "--query"}
_OF_MEASURING = {
    name: f"--{name}" for name in ("set", "models", "judge", "measure", "measures", "robustness", "replace")
} | {"k": "-k"}
_AS = {"as_judge": "--as"}

REPORT_EPILOG = """Statuses: 0 done; 1 an error, or --recompute found other figures than the export gives (it prints its
document all the same); 2 a wrong command line."""


def add_measuring(parser: argparse.ArgumentParser) -> None:
    """What is measured, and by whose judgments."""
    parser.add_argument("--set", metavar="NAME", default="", help="a set of test queries; else all of them")
    parser.add_argument("--models", metavar="KEY,KEY", type=keys, default=(), help="the models to measure; else all")
    parser.add_argument("-k", metavar="N", type=positive, default=10, help="the cut-off of the measures (10)")
    parser.add_argument(
        "--judge", metavar="NAME", default=None, help="whose judgments, '' being your own; else all judges together"
    )
    parser.add_argument("--measure", metavar="NAME", default="", help="what counts, as P@5, nDCG@10 or AP (P@k)")


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    add_measuring(parser)
    _add_measures(parser)
    add_imports(parser)


def add_robustness(parser: argparse.ArgumentParser) -> None:
    add_measuring(parser)
    parser.add_argument(
        "--disturbances", metavar="KEY,KEY", type=keys, default=(), help="some alone; else all that fit the queries"
    )
    parser.add_argument("--seed", metavar="N", type=whole, default=1, help="another gives other chance (1)")


def add_report(parser: argparse.ArgumentParser) -> None:
    parser.epilog = REPORT_EPILOG
    what = parser.add_mutually_exclusive_group(required=True)
    for name, metavar, text in (
        ("html", "FILE", "write a page to read, in one file"),
        ("export", "DIR", "write a folder: tables, TREC runs and qrels, and all that the figures are made of"),
        ("recompute", "DIR", "compute the figures of an export again, from it alone; status 1 if they differ"),
        ("import", "DIR", "take the queries and judgments of one in"),
    ):
        dest = "take_in" if name == "import" else name
        what.add_argument(f"--{name}", dest=dest, metavar=metavar, type=path, default=None, help=text)
    add_measuring(parser)
    _add_measures(parser)
    parser.add_argument(
        "--robustness", action="store_true", default=False, help="measure too how disturbed queries fare"
    )
    parser.add_argument("--replace", action="store_true", default=False, help="what has that name gives way")
    parser.add_argument("--title", metavar="T", default="", help="of the page")
    parser.add_argument(
        "--no-pictures", dest="pictures", action="store_false", default=True, help="a page without pictures"
    )
    parser.add_argument(
        "--query",
        metavar="ID",
        action="append",
        default=[],
        help="a page of this query alone, by its number or its title; once for each",
    )
    parser.add_argument(
        "--as",
        dest="as_judge",
        metavar="NAME",
        default=None,
        help="whose imported judgments without a name become, '' yours",
    )
    parser.set_defaults(check=_problem)


def _add_measures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--measures", metavar="NAME,NAME", type=keys, default=(), help="further measures, as nDCG@20,Success@1"
    )


def _problem(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """What was said that this report would ignore."""
    meaningless = {"html": _AS, "export": _OF_A_PAGE | _AS, "take_in": _OF_MEASURING | _OF_A_PAGE}
    chosen = next((name for name in meaningless if getattr(options, name)), "recompute")
    ignored = meaningless.get(chosen, _OF_MEASURING | _OF_A_PAGE | _AS)
    said = [option for name, option in ignored.items() if getattr(options, name) != parser.get_default(name)]
    return f"{', '.join(said)}: not allowed with --{chosen.replace('take_in', 'import')}" if said else ""
