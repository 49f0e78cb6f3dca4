"""What this machine's processor can do, found out without torch, which takes seconds to load."""

from __future__ import annotations

import platform

from app.engine.errors import AppError

_EIGHT_BIT = ("x86_64", "amd64")
"""torch's 8-bit layers are FBGEMM's, which is written for these."""


def runs_eight_bit() -> bool:
    """Whether 8-bit layers run on a processor of this kind."""
    return platform.machine().lower() in _EIGHT_BIT


def no_eight_bit() -> AppError:
    return AppError(
        "This machine computes no 8-bit layers",
        "They are computed on processors of Intel and AMD alone, and this machine has another. Use the model of the "
        "same name without “8-bit”.",
    )
