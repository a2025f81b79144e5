"""Bicubic resampling along one axis, as a matrix per picture (Pillow's convention: a = -0.5, antialiased)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def cubic(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Keys' cubic convolution kernel with a = -0.5 (Keys 1981, eq. 15); zero beyond two pixels."""
    d = distance.abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def resample_matrix(
    size_in: Int[Tensor, " batch"], size_out: Int[Tensor, " batch"], columns: int, rows: int, dtype: torch.dtype
) -> Float[Tensor, "batch rows columns"]:
    """Bicubic resampling from `size_in` to `size_out` pixels, zero-padded to (rows, columns).

    When shrinking, the kernel is stretched by the scale (antialiasing); taps outside the picture are left out and the rest
    renormalised. Positions are float64: at 2,000 pixels float32 would move a tap by 2e-4 of a pixel.
    """
    scale = (size_in.double() / size_out.double())[:, None, None]
    row = torch.arange(rows, device=size_in.device)[None, :, None]
    column = torch.arange(columns, device=size_in.device)[None, None, :]
    distance = ((column + 0.5) - (row + 0.5) * scale) / scale.clamp(min=1)
    inside = (column < size_in[:, None, None]) & (row < size_out[:, None, None])
    weight = cubic(distance.to(dtype)) * inside
    return weight / weight.sum(dim=2, keepdim=True).where(inside.any(dim=2, keepdim=True), 1)
