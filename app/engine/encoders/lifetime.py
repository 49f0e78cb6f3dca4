"""Encoders in memory: loaded at their first use, one of each, until memory is short or their files change."""

from __future__ import annotations

import gc
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import psutil

from app.engine.encoders.base import Encoder
from app.engine.errors import DeviceExhausted

RESERVE_BYTES = 512 << 20
"""Left to the decoders, the database and the system."""

Stamp = tuple[tuple[str, int, int], ...]
"""Names, sizes in bytes and times of change in ns of the files that an encoder was made of."""


def free_memory_bytes() -> int:
    """What a model may take now: of this machine's memory, or of the GPU's where that is in use and has less."""
    free = int(psutil.virtual_memory().available)
    if cuda := _cuda_in_use():
        kept = cuda.memory_reserved() - cuda.memory_allocated()  # by torch, for its next tensors
        free = min(free, int(cuda.mem_get_info()[0] + kept))
    return free


class Lifetime:
    """The encoders that are loaded. Thread-safe.

    Whoever uses an encoder holds a reference to it. To be evicted means to lose this one's: nothing is pulled away, and
    the memory is free once the last user has let go. An evicted encoder that is in use is found again and not loaded a
    second time.

    Args:
        free_bytes: how much memory is free.
    """

    def __init__(self, free_bytes: Callable[[], int] = free_memory_bytes) -> None:
        self._free_bytes = free_bytes
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        """Held while one is made: what it takes is only known to the next once it is there."""
        self._drops: Counter[str] = Counter()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        """The least recently used first."""
        self._in_use: WeakValueDictionary[tuple[str, Stamp], Encoder] = WeakValueDictionary()

    def get(self, key: str, stamp: Stamp, memory_bytes: int, load: Callable[[], Encoder]) -> Encoder:
        """The encoder of these files: the one that is loaded, else what ``load`` gives, for which others make room. One
        that is dropped while it is loaded is not kept.

        Raises:
            DeviceExhausted: memory does not hold it, even once all others are gone. And what ``load`` raises.
        """
        if encoder := self._find(key, stamp):
            return encoder
        with self._loading:
            if encoder := self._find(key, stamp):
                return encoder
            self.drop([key])  # what was made of other files
            drops = self._drops[key]
            self.make_room(memory_bytes)
            encoder = self._load(load)
            with self._lock:
                if self._drops[key] == drops:
                    self._keep(key, stamp, encoder)
            return encoder

    def drop(self, keys: Iterable[str]) -> None:
        """Forget the encoders of models whose files change or go."""
        keys = tuple(keys)
        with self._lock:
            self._drops.update(keys)
            dropped = [self._kept.pop(key, None) for key in keys]
        if any(dropped):
            del dropped
            _give_back()

    def make_room(self, wanted_bytes: int = 0) -> None:
        """Evict the least recently used until ``wanted_bytes`` and the reserve are free, or none is left."""
        while self._free_bytes() < wanted_bytes + RESERVE_BYTES:
            with self._lock:
                if not self._kept:
                    return
                self._kept.popitem(last=False)
            _give_back()

    def loaded(self) -> tuple[str, ...]:
        """The keys of those that are kept, the least recently used first."""
        with self._lock:
            return tuple(self._kept)

    def _find(self, key: str, stamp: Stamp) -> Encoder | None:
        with self._lock:
            kept = self._kept.get(key)
            encoder = kept.encoder if kept and kept.stamp == stamp else self._in_use.get((key, stamp))
            if encoder is not None:
                self._keep(key, stamp, encoder)
            return encoder

    def _keep(self, key: str, stamp: Stamp, encoder: Encoder) -> None:
        self._kept[key] = _Kept(stamp, encoder)
        self._kept.move_to_end(key)
        with suppress(TypeError):  # someone's own class may not take weak references; then it is kept only
            self._in_use[key, stamp] = encoder

    def _load(self, load: Callable[[], Encoder]) -> Encoder:
        """What ``load`` gives. Where memory runs out, all others are evicted and it is tried once more."""
        if encoder := _attempt(load):
            return encoder
        self.drop(self.loaded())
        if encoder := _attempt(load):
            return encoder
        raise DeviceExhausted(
            "Out of memory",
            "There is not enough free memory to load this model. Close other programs, or choose a smaller model.",
        )


class _Kept(NamedTuple):
    stamp: Stamp
    encoder: Encoder


def _attempt(load: Callable[[], Encoder]) -> Encoder | None:
    """None where memory ran out. Once this has returned, the error and what its traceback holds are gone."""
    try:
        return load()
    except (MemoryError, RuntimeError) as error:
        from app.engine.encoders.oom import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        return None


def _give_back() -> None:
    """Give what nobody refers to any more back to the system and to the GPU."""
    gc.collect()
    if cuda := _cuda_in_use():
        cuda.empty_cache()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _cuda_in_use() -> Any:
    """torch.cuda, where this process has begun to use it; torch is not imported to find that out."""
    torch: Any = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized() else None
