"""Resampling along one axis, as a band of weights per picture: by a kernel (Pillow's convention, or MATLAB's at the borders) or
taking every s-th pixel."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

REACH = 2  # the greatest radius of a kernel, in pixels of the coarser grid


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


def triangle(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Evaluate the kernel of linear interpolation; it is zero beyond one pixel."""
    return (1 - distance.abs()).clamp(min=0)


def box(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Evaluate the kernel of the mean over a pixel, which holds its right end and not its left one, as in Pillow."""
    return ((distance > -0.5) & (distance <= 0.5)).to(distance)


class Kernel(NamedTuple):
    """A kernel of resampling and its radius, in pixels of the coarser grid. mirrored: whether what lies outside the picture is its
    mirror image, with the edge pixel repeated, as in MATLAB's imresize; else it counts nothing, as in Pillow."""

    value: Callable[[Tensor], Tensor]
    radius: float
    mirrored: bool = False


KERNELS = {
    "bicubic": Kernel(cubic, 2.0),
    "matlab": Kernel(cubic, 2.0, mirrored=True),
    "bilinear": Kernel(triangle, 1.0),
    "area": Kernel(box, 0.5),
}


def response(downsampling: str, frequency: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the Fourier transform of a way to down-sample; 1 at 0. frequency: cycles a pixel of the coarser grid."""
    if downsampling == "direct":
        return torch.ones_like(frequency)
    if downsampling in ("bicubic", "matlab"):
        return cubic_response(frequency)
    return torch.sinc(frequency) ** (2 if downsampling == "bilinear" else 1)


def cubic_response(frequency: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the Fourier transform of the bicubic kernel; 1 at 0. frequency: cycles a sample."""
    x = torch.linspace(-2, 2, 401, dtype=frequency.dtype, device=frequency.device)
    weights = cubic(x)
    response = (torch.cos(2 * torch.pi * frequency[..., None] * x) * weights).sum(dim=-1)
    return response / weights.sum()


def resampled(
    kind: str,
    size_in: Int[Tensor, " batch"],
    size_out: Int[Tensor, " batch"],
    scale: Float[Tensor, " batch"],
    rows: int,
    max_scale: float,
    dtype: torch.dtype,
) -> Band:
    """Return resampling by one of `KERNELS` from `size_in` to `size_out` pixels, `scale` input pixels an output pixel.

    Shrinking stretches the kernel by the scale (antialiasing); taps outside the picture weigh nothing, or belong to the pixels that
    are mirrored there, and all sum to 1.
    Rows beyond `size_out` are zero. Positions are float64: at 2,000 pixels float32 would move a tap by 2e-4 px.
    max_scale: upper bound on the scales.
    """
    device, (kernel, radius, mirrors) = size_in.device, KERNELS[kind]
    scale = scale.double()[:, None]
    stretch = scale.clamp(min=1)
    row = torch.arange(rows, device=device)
    centre = (row + 0.5) * scale
    first = (centre - radius * stretch - 0.5).detach().floor().long() + 1
    taps = math.ceil(2 * radius * max(max_scale, 1.0)) + 1
    if kernel is box:  # it jumps: whether a pixel at an end counts is decided in Pillow's own arithmetic
        first, taps = (centre - radius * stretch + 0.5).detach().floor().long(), taps + 1
    position = first[..., None] + torch.arange(taps, device=device)
    inside = (row < size_out[:, None])[..., None]
    if not mirrors:
        inside = (position >= 0) & (position < size_in[:, None, None]) & inside
    if kernel is box:
        inside &= position < (centre + radius * stretch + 0.5).floor()[..., None]
        distance = (position - centre[..., None] + 0.5) * (1 / stretch)[..., None]
    else:
        distance = ((position + 0.5 - centre[..., None]) / stretch[..., None]).to(dtype)
    weight = kernel(distance).to(dtype) * inside
    if mirrors:  # an image lies farther from the centre than its pixel does, which therefore has a place in the band
        pixel = position % (2 * size_in[:, None, None])
        pixel = torch.minimum(pixel, 2 * size_in[:, None, None] - 1 - pixel)
        weight = torch.zeros_like(weight).scatter_add(2, (pixel - first[..., None]).clamp(0, taps - 1), weight)
    total = weight.sum(dim=2, keepdim=True)
    return Band(first, weight / torch.where(total == 0, 1, total))


bicubic = partial(resampled, "bicubic")  # a = -0.5


def decimation(size_out: Int[Tensor, " batch"], step: int, rows: int, dtype: torch.dtype) -> Band:
    """Return the band that takes every `step`-th pixel, starting with the first. Rows beyond `size_out` are zero."""
    row = torch.arange(rows, device=size_out.device)
    inside = row < size_out[:, None]
    return Band((row * step).expand(len(size_out), -1), inside[..., None].to(dtype))
