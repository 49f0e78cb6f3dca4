"""Where the data home is, and that settings survive."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import paths, settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMBLANCE_HOME", raising=False)


def test_the_chosen_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_HOME", str(tmp_path / "environment"))
    assert paths.data_home(tmp_path / "chosen") == tmp_path / "chosen"
    assert paths.data_home() == tmp_path / "environment"


def test_a_checkout_keeps_its_data_beside_itself() -> None:
    assert paths.data_home() == Path(paths.__file__).parents[1] / "indexes"


@pytest.mark.parametrize("portable", [True, False])
def test_a_frozen_copy_is_portable_by_a_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portable: bool) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "semblance"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if portable:
        (tmp_path / "portable").touch()
    assert (paths.data_home() == tmp_path / "indexes") is portable


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
