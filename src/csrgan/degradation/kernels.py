"""Gaussian blur along one axis, as a matrix per picture."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

# Below this standard deviation the nearest neighbour weighs exp(-5000): the sampled Gaussian is the identity to the bit.
IDENTITY_STD = 0.01
SUPPORT = 4.0  # radius of the full kernel, in standard deviations


def gaussian_taps(
    std: Float[Tensor, " batch"], *, kernel_size: int | None = None, max_std: float | None = None
) -> Float[Tensor, "batch taps"]:
    """Gaussian sampled at pixel centres, g(d) = exp(-d^2 / (2 std^2)) for |d| <= radius, normalised to sum 1.

    The radius is ceil(4 std) of each picture, or (kernel_size - 1) / 2 where a kernel size is named. `max_std` bounds the
    standard deviations, so that a device need not be asked for their maximum.
    """
    if kernel_size is None:
        bound = max_std if max_std is not None else float(std.detach().max())
        reach = math.ceil(SUPPORT * bound)
        radius = (SUPPORT * std).ceil()[:, None]
    else:
        reach = (kernel_size - 1) // 2
        radius = std.new_full((len(std), 1), reach)
    distance = torch.arange(-reach, reach + 1, device=std.device, dtype=std.dtype)
    taps = torch.exp(-0.5 * (distance / std.clamp(min=IDENTITY_STD)[:, None]) ** 2) * (distance.abs() <= radius)
    return taps / taps.sum(dim=1, keepdim=True)


def effective_std(taps: Float[Tensor, "batch taps"]) -> Float[Tensor, " batch"]:
    """Standard deviation in pixels of the kernel as truncated, sqrt(sum d^2 k(d)); below that of the Gaussian it was cut from."""
    reach = (taps.shape[1] - 1) // 2
    distance = torch.arange(-reach, reach + 1, device=taps.device, dtype=taps.dtype)
    return (taps * distance**2).sum(dim=1).sqrt()


def shifted(taps: Float[Tensor, "batch taps"], count: int) -> Float[Tensor, "batch count wide"]:
    """`count` copies of the taps, each one pixel further to the right: the matrix of a full convolution."""
    batch, length = taps.shape
    wide = length + count - 1
    return functional.pad(taps, (0, count)).repeat(1, count)[:, : count * wide].view(batch, count, wide)


def mirror(position: Int[Tensor, "*shape"], size: int, reach: int) -> Int[Tensor, "*shape"]:
    """The pixel that a position outside of 0 .. size - 1 stands for: the border mirrors, its edge pixel is not repeated.

    reach: how far outside a position can lie; a border wider than the picture mirrors more than once.
    """
    if size == 1:
        return torch.zeros_like(position)
    for _ in range(math.ceil(reach / (size - 1))):
        position = position.abs()
        position = torch.where(position < size, position, 2 * (size - 1) - position)
    return position
