"""A product of matrices and a convolution whose results are known: whole numbers, so small that every precision from 16
bits on holds them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

_SIDE = 64
_EXACT = 0.25
"""Whole numbers cannot be nearer to another; a fast convolution may round what lies between."""


def wrong_on(device: str, precision: Any) -> str:
    """What torch computes wrongly on a device in a precision, or "".

    Raises:
        RuntimeError: it cannot compute there.
    """
    import torch

    left, right = _whole(_SIDE, _SIDE, step=3), _whole(_SIDE, _SIDE, step=5)
    picture, kernel = _whole(16, 16, step=7), _whole(3, 3, step=2)
    with torch.inference_mode():

        def there(numbers: Any) -> Any:
            return torch.from_numpy(numbers).to(device=device, dtype=precision)

        product = there(left) @ there(right)
        folded = torch.nn.functional.conv2d(there(picture)[None, None], there(kernel)[None, None])[0, 0]
        outcomes = {
            "a product of matrices": (product, left @ right),
            "a convolution": (folded, _folded(picture, kernel)),
        }
        for name, (computed, expected) in outcomes.items():
            if not (np.abs(computed.double().cpu().numpy() - expected) < _EXACT).all():
                return name
    return ""


def _whole(rows: int, columns: int, step: int) -> Any:
    """Numbers from -2 to 2."""
    return ((np.arange(rows * columns) * step % 7 % 5) - 2.0).reshape(rows, columns)


def _folded(picture: Any, kernel: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)
