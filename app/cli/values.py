"""What options of several commands take: each is read, or refused with what it should be."""

from __future__ import annotations

import argparse

MOST = 2**31 - 1


def keys(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(key.strip() for key in text.split(",") if key.strip())


def path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("give the name of a file")
    return text


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def positive(text: str) -> int:
    number = whole(text)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"give a number from 1 to {MOST:,}")
    return number
