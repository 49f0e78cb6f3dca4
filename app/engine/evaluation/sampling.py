"""Some of many, the same ones at every time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def sample(all_of_them: Sequence[T], name: Callable[[T], str], count: int) -> list[T]:
    """Up to ``count``, chosen by hashes of their names: as good as at random, the same at each visit, and where some
    come or go most of the sample stays."""
    return sorted(all_of_them, key=lambda one: hashlib.sha256(name(one).encode()).digest())[:count]
