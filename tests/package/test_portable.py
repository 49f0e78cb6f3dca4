"""A portable copy keeps everything beside itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import frozen
import pytest
from desktop import Desktop
from frozen import Machine
from person import Person

pytestmark = [pytest.mark.package, pytest.mark.timeout(1800)]


@pytest.fixture
def stick(installed: Path, home: Path) -> Machine:
    """A machine with a copy that can be written and has the marker."""
    copy = frozen.copy(installed.parent / f"stick {home.parent.name}")
    (copy / "portable").touch()
    return Machine(copy, home, portable=True)


def test_a_portable_copy_leaves_nothing_on_the_machine(
    stick: Machine, desktop: Desktop, open_window: Callable[..., Person]
) -> None:
    before = frozen.listing(stick.installed)
    stick.answer("demo")
    assert (stick.installed / "indexes" / "libraries" / "sample" / "library.sqlite").is_file()
    assert list(stick.home.iterdir()) == []
    person = open_window(replace(stick, session=desktop.environment, mounts=desktop.mounts))
    person.press("Sample library")
    person.reads("60 photos")
    desktop.look("portable")
    assert person.close() == 0
    assert list(stick.home.iterdir()) == []
    after = {name: facts for name, facts in frozen.listing(stick.installed).items() if not name.startswith("indexes")}
    assert {**after, ".": before["."]} == before
