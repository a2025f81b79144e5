"""Resampling along one axis, as a band of weights per picture: bicubic (Pillow's convention) or taking every s-th pixel."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

REACH = 2  # radius of the cubic kernel, in pixels of the coarser grid


class Band(NamedTuple):
    """The position of each output pixel's first tap (taps may lie outside the picture, with weight 0), and the weights."""

    first: Int[Tensor, "batch rows"]
    weight: Float[Tensor, "batch rows taps"]

    def matrix(self, part: slice, columns: int) -> Float[Tensor, "part rows columns"]:
        """Return the bands of some of the pictures as dense matrices."""
        first, weight = self.first[part], self.weight[part]
        position = first[..., None] + torch.arange(weight.shape[2], device=weight.device)
        return weight.new_zeros(*first.shape, columns).scatter_add(2, position.clamp(0, columns - 1), weight)


def cubic(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Evaluate Keys' cubic convolution kernel with a = -0.5 (Keys 1981, eq. 15); it is zero beyond two pixels."""
    d = distance.abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def cubic_response(frequency: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the Fourier transform of the bicubic kernel; 1 at 0. frequency: cycles a sample."""
    x = torch.linspace(-2, 2, 401, dtype=frequency.dtype)
    weights = cubic(x)
    response = (torch.cos(2 * torch.pi * frequency[..., None] * x) * weights).sum(dim=-1)
    return response / weights.sum()


def bicubic(
    size_in: Int[Tensor, " batch"],
    size_out: Int[Tensor, " batch"],
    scale: Float[Tensor, " batch"],
    rows: int,
    max_scale: float,
    dtype: torch.dtype,
) -> Band:
    """Return bicubic resampling (a = -0.5) from `size_in` to `size_out` pixels, `scale` input pixels an output pixel.

    Shrinking stretches the kernel by the scale (antialiasing); taps outside the picture weigh nothing and the others sum to 1.
    Rows beyond `size_out` are zero. Positions are float64: at 2,000 pixels float32 would move a tap by 2e-4 px.
    max_scale: upper bound on the scales.
    """
    device = size_in.device
    scale = scale.double()[:, None]
    stretch = scale.clamp(min=1)
    row = torch.arange(rows, device=device)
    centre = (row + 0.5) * scale
    first = (centre - REACH * stretch - 0.5).detach().floor().long() + 1
    position = first[..., None] + torch.arange(math.ceil(2 * REACH * max(max_scale, 1.0)) + 1, device=device)
    distance = (position + 0.5 - centre[..., None]) / stretch[..., None]
    inside = (position >= 0) & (position < size_in[:, None, None]) & (row < size_out[:, None])[..., None]
    weight = cubic(distance.to(dtype)) * inside
    total = weight.sum(dim=2, keepdim=True)
    return Band(first, weight / torch.where(total == 0, 1, total))


def decimation(size_out: Int[Tensor, " batch"], step: int, rows: int, dtype: torch.dtype) -> Band:
    """Return the band that takes every `step`-th pixel, starting with the first. Rows beyond `size_out` are zero."""
    row = torch.arange(rows, device=size_out.device)
    inside = row < size_out[:, None]
    return Band((row * step).expand(len(size_out), -1), inside[..., None].to(dtype))
