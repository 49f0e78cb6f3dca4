"""A decoder pool whose children are struck by files of certain names, as a codec's fault would strike them."""

from __future__ import annotations

import ctypes
import os
import time
from concurrent.futures import Future
from typing import Any

import numpy as np

from app.engine.media import decode
from app.engine.media.pool import DecoderPool

BOMB_BYTES = 256 << 20


class StruckPool(DecoderPool):
    """Decodes what is good, and dies of the rest."""

    def decode(self, request: decode.DecodeRequest) -> Future[Any]:
        return self._bulk.submit(request.path, decode_or_die, request)


def decode_or_die(request: decode.DecodeRequest) -> decode.DecodedPart:
    """Runs in the child."""
    match os.path.basename(request.path).split(b".")[0]:
        case b"segfault":
            ctypes.string_at(0)
        case b"abort":
            os.abort()
        case b"hang":
            time.sleep(3600)
        case b"spin":
            while True:
                pass
        case b"bomb":
            swallow_memory()
    return decode.decode(request)


def swallow_memory() -> None:
    """Ask for memory for as long as some is given."""
    held = []
    while True:
        held.append(np.zeros(BOMB_BYTES, np.uint8))
