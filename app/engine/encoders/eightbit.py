"""Image towers with 8-bit layers: on a CPU several times as fast as with 32-bit floats, a little less exact.

Every linear layer of a tower is replaced. Its weights are rounded once, to 8 bits with one scale a row; what goes in is
rounded as it comes, with one scale a token (Dettmers et al.: LLM.int8(), 2022, of which this is the vector-wise part).
So a picture's vector does not depend on the pictures that it is encoded with, as it would with torch's own dynamic
layers, whose one scale covers the batch; and a channel far larger than the others costs its own token precision alone.
Sums are whole numbers of 32 bits (FBGEMM). Layers that are no linear ones stay as they are.
"""

from __future__ import annotations

import functools
from typing import Any

import open_clip
import torch
from torch import nn

from app.engine.encoders.processor import no_eight_bit

WEIGHT_LEVELS = 127
FINE_LEVELS, COARSE_LEVELS = 127, 63
"""Whole numbers on either side of zero for what goes in, which is then shifted to be unsigned. Processors without VNNI
add two products in 16 bits: (63 + 64) · 127 · 2 fits into these, and (127 + 128) · 127 · 2 does not."""

ENGINES = ("x86", "fbgemm")
_SMALLEST = 1e-12
"""A token of zeros is divided by this."""


def quantize(tower: nn.Module) -> None:
    """Replace the linear layers of an image tower, its attention's among them, in place.

    Raises:
        AppError: torch has no 8-bit arithmetic for this processor.
    """
    if torch.backends.quantized.engine not in ENGINES:
        raise no_eight_bit()
    for name, child in tower.named_children():
        if type(child) is nn.Linear:
            setattr(tower, name, EightBitLinear(child.weight, child.bias))
        elif isinstance(child, nn.MultiheadAttention) and _attends_to_itself(tower):
            setattr(tower, name, EightBitAttention(child))
        else:
            quantize(child)


class EightBitLinear(nn.Module):
    """A linear layer of ``weight`` (out, in) and ``bias`` (out,), computed in 8 bits."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self._levels = _levels()
        self._bias = None if bias is None else bias.detach().clone()
        self._packed: Any = _packed(weight.detach())

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(…, in) float32 to (…, out) float32."""
        scales = tokens.abs().amax(-1, keepdim=True).clamp_(min=_SMALLEST)
        rows = _product(tokens / scales, self._packed, self._levels)
        return rows.mul_(scales) if self._bias is None else torch.addcmul(self._bias, rows, scales)


class EightBitAttention(nn.Module):
    """Self-attention as `torch.nn.MultiheadAttention` with ``batch_first`` computes it, of 8-bit layers."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self._heads = attention.num_heads
        assert attention.in_proj_weight is not None  # noqa: S101 - of one width, as `_attends_to_itself` made sure
        self._in = EightBitLinear(attention.in_proj_weight, attention.in_proj_bias)
        self._out = EightBitLinear(attention.out_proj.weight, attention.out_proj.bias)

    def forward(self, tokens: torch.Tensor, *_same: torch.Tensor, **_options: Any) -> tuple[torch.Tensor, None]:
        """(n, tokens, width) to the same. An image tower asks for no mask and no attention weights."""
        count, length, width = tokens.shape
        parts = self._in(tokens).view(count, length, 3, self._heads, width // self._heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return self._out(mixed.transpose(1, 2).reshape(count, length, width)), None


def _attends_to_itself(block: nn.Module) -> bool:
    """Whether this is a block whose attention has one input; a pooling one asks with tokens of its own, and is left."""
    return isinstance(block, open_clip.transformer.ResidualAttentionBlock) and not hasattr(block, "ln_1_kv")


def _packed(weight: torch.Tensor) -> Any:
    scales = weight.abs().amax(1).clamp(min=_SMALLEST) / WEIGHT_LEVELS
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    rounded = torch.quantize_per_channel(weight.float(), scales.double(), zeros, 0, torch.qint8)
    return torch.ops.quantized.linear_prepack(rounded, None)


def _product(tokens: torch.Tensor, packed: Any, levels: int) -> torch.Tensor:
    """``tokens``, within -1 to 1, rounded to 8 bits and multiplied. The operator is the one that torch's own dynamic
    layers are made of, with the scale given instead of found; it is neither deprecated nor does it need torchao."""
    product = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
    rows: torch.Tensor = product(tokens, 1 / levels, levels + 1, packed)
    return rows


@functools.cache
def _levels() -> int:
    """How finely this processor can round what goes in and still add it up exactly: tried with the largest sum."""
    ones = torch.ones(1, 64)
    found = float(_product(ones, _packed(torch.ones(8, 64)), FINE_LEVELS)[0, 0])
    return FINE_LEVELS if abs(found - 64) < 0.01 else COARSE_LEVELS
