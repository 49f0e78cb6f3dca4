"""The two entrances: what stands on their command lines, with a console and without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.arguments import parser, window_parser

CHECKOUT = Path(__file__).parents[2]


def test_files_may_stand_anywhere_among_the_options_of_the_window() -> None:
    for words in (["a.png", "--home", "H", "b.png"], ["--home", "H", "a.png", "b.png"]):
        alone, verb = window_parser().parse_args(words), parser().parse_args(["window", *words])
        for options in (alone, verb):
            assert (options.home, options.library, list(options.files)) == ("H", None, ["a.png", "b.png"])


def test_without_a_verb_the_window_opens_with_nothing_to_search_by() -> None:
    options = parser().parse_args([])
    assert (options.verb, list(options.files)) == (None, [])
    assert list(window_parser().parse_args([]).files) == []


def test_the_window_is_not_offered_to_print_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["window", "--json"])
    assert "unrecognized arguments: --json" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--what"], ["--version"]])
def test_without_a_console_what_the_command_line_says_is_in_a_box(words: list[str]) -> None:
    """As the windowed program of Windows runs, whose standard streams are None; the box is closed by a timer."""
    script = (
        "import sys; out, sys.stdout, sys.stderr = sys.stdout, None, None\n"
        "from PySide6.QtCore import QTimer\nfrom app.gui.application import application\n"
        "from app.__main__ import window\n"
        "app = application()\n"
        "def read():\n    print(app.activeModalWidget().text(), file=out); app.activeModalWidget().accept()\n"
        "QTimer.singleShot(0, read)\n"
        "status = window(); out.flush(); sys.exit(status)"
    )
    ended = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=CHECKOUT)
    told = {"--what": "unrecognized arguments: --what", "--version": "semblance "}
    assert told[words[0]] in ended.stdout
    assert ended.returncode == {"--what": 2, "--version": 0}[words[0]]
