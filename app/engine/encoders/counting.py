"""What a network costs, counted on the "meta" device: nothing is computed and no memory is taken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import torch
from torch.utils.flop_counter import FlopCounterMode

FLOAT_BYTES = 4
WORKING_BYTES = 300_000_000
"""The activations of a small batch, and what the libraries take."""


def parameters_in(network: torch.nn.Module) -> int:
    """How many numbers it has learned; fixed filters are not counted."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def memory_for(parameters: int) -> int:
    """About how many bytes a network takes while it runs on the CPU."""
    return parameters * FLOAT_BYTES + WORKING_BYTES


def gflops_of(forward: Callable[[torch.Tensor], object], *shape: int) -> float:
    """Billions of multiplications, with their additions, of ``forward`` for an input of ``shape``; 0 where that cannot
    be counted without computing."""
    with suppress(Exception), FlopCounterMode(display=False) as counter, torch.no_grad():
        forward(torch.empty(shape, device="meta"))
        return float(round(counter.get_total_flops() / 2e9, 1))
    return 0.0
