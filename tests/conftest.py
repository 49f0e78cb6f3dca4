"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SHARED_DATA_DIR = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The reference data beside the checkout; where it is, a missing file in it is a failure and no skip."""
    if not SHARED_DATA_DIR.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return SHARED_DATA_DIR
