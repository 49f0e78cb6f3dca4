"""Where the data home is, and that settings survive."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import paths, settings
from app.engine.errors import AppError
from app.engine.session import Session


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMBLANCE_HOME", raising=False)


def test_the_chosen_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_HOME", str(tmp_path / "environment"))
    assert paths.data_home(tmp_path / "chosen") == tmp_path / "chosen"
    assert paths.data_home() == tmp_path / "environment"


def test_a_checkout_keeps_its_data_beside_itself() -> None:
    assert paths.data_home() == Path(paths.__file__).parents[1] / "indexes"


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this process look like the packed program that stands at a place below ``tmp_path``."""

    def freeze(program: str, system: str = "linux") -> None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(sys, "executable", str(tmp_path / program))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    return freeze


@pytest.mark.parametrize("portable", [True, False])
@pytest.mark.parametrize(
    ("program", "system", "copy"),
    [
        ("stick/semblance", "linux", "stick"),
        ("a.app/semblance", "linux", "a.app"),
        ("stick/Semblance.app/Contents/MacOS/semblance", "darwin", "stick"),
        ("stick/semblance/semblance", "darwin", "stick/semblance"),
    ],
)
def test_a_frozen_copy_is_portable_by_a_marker(
    frozen: Callable[..., None], tmp_path: Path, program: str, system: str, copy: str, portable: bool
) -> None:
    frozen(program, system)
    folder = tmp_path / copy
    folder.mkdir(parents=True)
    if portable:
        (folder / "portable").touch()
    assert paths.portable_folder() == (folder if portable else None)
    assert (paths.data_home() == folder / "indexes") is portable


def test_a_link_to_the_program_does_not_hide_the_marker(frozen: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "semblance").touch()
    (tmp_path / "copy" / "portable").touch()
    (tmp_path / "link").symlink_to(tmp_path / "copy" / "semblance")
    frozen("link")
    assert paths.data_home() == tmp_path / "copy" / "indexes"


def test_a_portable_copy_that_cannot_be_written_says_what_to_do(frozen: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "portable").touch()
    (tmp_path / "indexes").touch()  # no folder can be made there, not even by root
    frozen("semblance")
    with pytest.raises(AppError, match="delete the file “portable”"), Session.open(paths.data_home(), "default"):
        pass


def test_resources_are_found_and_hold_the_catalogue() -> None:
    assert tomllib.loads((paths.resources_dir() / "models.toml").read_text(encoding="utf-8"))


def test_resources_of_an_installed_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app" / "resources").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "app" / "paths.py"))
    assert paths.resources_dir() == tmp_path / "app" / "resources"


@given(
    st.builds(
        settings.Settings,
        library=st.text(),
        theme=st.sampled_from(["system", "light", "dark"]),
        thumbnail_px=st.integers(64, 512),
        window_geometry=st.text("0123456789abcdef"),
    )
)
def test_settings_survive_the_file(tmp_path_factory: pytest.TempPathFactory, chosen: settings.Settings) -> None:
    home = tmp_path_factory.mktemp("home")
    settings.save(home, chosen)
    assert settings.load(home) == chosen


@pytest.mark.parametrize("content", ["", "[]", "{", '{"theme": 3, "unknown": 1}', "\x00"])
def test_broken_settings_fall_back_to_the_defaults(tmp_path: Path, content: str) -> None:
    (tmp_path / settings.FILE_NAME).write_text(content)
    assert settings.load(tmp_path) == settings.Settings()


def test_one_unknown_setting_does_not_lose_the_others(tmp_path: Path) -> None:
    (tmp_path / settings.FILE_NAME).write_text('{"library": "archive", "from_the_future": true}')
    assert settings.load(tmp_path).library == "archive"
