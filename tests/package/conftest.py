"""The machine that has nothing, a desktop on it, and things to find. See `make test-package`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import frozen
import pytest
from desktop import Desktop, session
from frozen import MEDIA, Machine, Things
from person import Person

SAMPLE = frozen.PROJECT / "resources" / "sample"
PICTURES = frozen.PROJECT / "build" / "package-tests"


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """A copy of the frozen folder that is the same at the end as at the beginning."""
    if not (frozen.folder() / "semblance").is_file():
        pytest.exit(f"There is no frozen program in {frozen.folder()}: run “make package” first.", returncode=2)
    with tempfile.TemporaryDirectory(
        dir=frozen.folder().parent, prefix="Größe é "
    ) as beside:  # where links can be made
        copy = frozen.copy(Path(beside) / "Semblance app")
        before = frozen.listing(copy)
        yield copy
        assert frozen.listing(copy) == before


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The person's folder, with nothing in it."""
    empty = tmp_path / "home"
    empty.mkdir()
    return empty


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Files of many formats from the reference data, or the sample where that is not beside the checkout."""
    data = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not data.is_dir():
        return SAMPLE
    chosen = tmp_path_factory.mktemp("media")
    for part in ("images/odd", "video/containers", "audio/formats", "audio/fsd50k_tiny", "audio/instruments"):
        shutil.copytree(data / part, chosen / part, ignore=shutil.ignore_patterns("zero_width.gif"))  # is damaged
    return chosen


@pytest.fixture(scope="session")
def things(media: Path) -> Things:
    def one(pattern: str) -> Path:
        return MEDIA / min(media.rglob(pattern)).relative_to(media)

    if media == SAMPLE:
        return Things(MEDIA / "pictures", one("palms-at-sunset.jpg"), one("church-bell.flac"), "palms")
    return Things(MEDIA / "audio" / "instruments", one("L_8__128x128.heif"), one("*.flac"), "heif")


@pytest.fixture
def machine(installed: Path, home: Path, media: Path) -> Machine:
    return Machine(installed, home, media)


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    """A desktop session; what was seen of it is kept in build/package-tests."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="session-") as short, session(Path(short) / "run", PICTURES) as desktop:
        yield desktop  # the path of a socket has room for 108 bytes


@pytest.fixture
def open_window(desktop: Desktop, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Starts the window on a machine, with files to search by, and ends it when the test is over."""
    people = []

    def start(machine: Machine, *files: Path | str) -> Person:
        people.append(Person(desktop, machine, tmp_path / f"window{len(people)}.log", *files))
        return people[-1]

    yield start
    for person in people:
        person.leave()
