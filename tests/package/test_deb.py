"""The .deb that `make package` made: dpkg installs it below a folder of its own, it runs from there, and it goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM_S = 400
"""A command may take this long on a busy machine."""

pytestmark = [
    pytest.mark.package,
    pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("dpkg"), reason="needs dpkg"),
    pytest.mark.timeout(1800),
]


@dataclass(frozen=True)
class System:
    """A root folder with dpkg's database, in which packages can be without what they depend on."""

    root: Path

    def dpkg(self, *arguments: str | Path) -> str:
        as_root = [] if os.geteuid() == 0 else ["fakeroot"]
        command = [*as_root, "dpkg", f"--root={self.root}", "--force-depends", "--log=/dev/null", *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def listing(self) -> set[str]:
        """All names but dpkg's own."""
        names = {str(path.relative_to(self.root)) for path in self.root.rglob("*")}
        return {name for name in names if not name.startswith("var")}

    def run(self, *words: str | Path) -> str:
        """What the installed command line prints, with nothing of this environment about it."""
        command = [str(self.root / "usr/bin/semblance"), *map(str, words)]
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.root / "home/person")}
        told = subprocess.run(
            command, env=environment, cwd="/", stdout=subprocess.PIPE, text=True, check=True, timeout=PROGRAM_S
        )
        return told.stdout


@pytest.fixture(scope="module")
def deb() -> Path:
    frozen = Path(os.environ.get("SEMBLANCE_FROZEN") or PROJECT / "dist" / "semblance")
    found = sorted(frozen.parent.glob("semblance_*.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"there is no .deb beside {frozen}")
    return found[-1]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    if os.geteuid() != 0 and not shutil.which("fakeroot"):
        pytest.skip("dpkg gives files to root; fakeroot makes it believe so")
    root = tmp_path_factory.mktemp("root")
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    for neighbour in ("usr/bin/other", "usr/lib/other/library", "usr/share/applications/other.desktop"):
        (root / neighbour).parent.mkdir(parents=True, exist_ok=True)
        (root / neighbour).touch()
    (root / "home/person").mkdir(parents=True)
    yield System(root)
    shutil.rmtree(root)  # gigabytes, which pytest would keep for three runs


def test_the_deb_installs_runs_and_goes_and_leaves_what_the_person_made(deb: Path, system: System) -> None:
    before = system.listing()
    system.dpkg("--install", deb)
    installed = system.listing()
    shown = json.loads(system.run("demo", "--json"))
    assert all(shown["index"]["items"][kind] > 0 for kind in ("photo", "frame", "audio"))
    assert shown["searches"]
    made = system.listing() - installed
    assert made
    assert all(name.startswith("home/person/") for name in made), "nothing is written beside the program"
    assert system.dpkg("--verify", "semblance") == ""
    system.dpkg("--purge", "semblance")
    assert system.listing() == before | made
    library = system.root / "home/person/.local/share/semblance/libraries/sample"
    assert library.is_dir()
