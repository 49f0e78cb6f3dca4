"""How it is known that memory ran out."""

from __future__ import annotations

import torch

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "alloc_failed")
"""How CUDA and MPS, the CPU allocator, and cuBLAS and cuDNN say it in a RuntimeError."""


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)
