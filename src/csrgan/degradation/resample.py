"""Bicubic resampling along one axis, as a band of weights per picture (Pillow's convention: a = -0.5, antialiased)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

REACH = 2  # of the cubic kernel, in pixels of the coarser grid


def cubic(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Keys' cubic convolution kernel with a = -0.5 (Keys 1981, eq. 15); zero beyond two pixels."""
    d = distance.abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def resample_band(
    size_in: Int[Tensor, " batch"], size_out: Int[Tensor, " batch"], rows: int, max_scale: float, dtype: torch.dtype
) -> tuple[Int[Tensor, "batch rows"], Float[Tensor, "batch rows taps"]]:
    """Bicubic resampling from `size_in` to `size_out` pixels: where each output pixel's taps begin, and their weights.

    When shrinking, the kernel is stretched by the scale (antialiasing); taps outside the picture weigh nothing and the rest
    sum to 1. Rows beyond `size_out` are zero. Positions are float64: at 2,000 pixels float32 would move a tap by 2e-4 px.
    max_scale: a bound on size_in / size_out.
    """
    device = size_in.device
    scale = (size_in.double() / size_out.double())[:, None]
    stretch = scale.clamp(min=1)
    row = torch.arange(rows, device=device)
    centre = (row + 0.5) * scale
    first = (centre - REACH * stretch - 0.5).floor().long() + 1
    position = first[..., None] + torch.arange(math.ceil(2 * REACH * max(max_scale, 1.0)) + 1, device=device)
    distance = (position + 0.5 - centre[..., None]) / stretch[..., None]
    inside = (position >= 0) & (position < size_in[:, None, None]) & (row < size_out[:, None])[..., None]
    weight = cubic(distance.to(dtype)) * inside
    total = weight.sum(dim=2, keepdim=True)
    return first, weight / torch.where(total == 0, 1, total)
