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
    std: Float[Tensor, " batch"], *, kernel_size: int | None = None, max_std: float | None = None, shift: float = 0.0
) -> Float[Tensor, "batch taps"]:
    """Gaussian sampled at pixel centres, g(d) = exp(-(d - shift)^2 / (2 std^2)) for |d - shift| <= radius, normalised to sum 1.

    The radius is ceil(4 std) of each picture; where a kernel size is named, its taps |d| <= (kernel_size - 1) / 2 are kept
    instead. `max_std` bounds the standard deviations, so that a device need not be asked for their maximum. A Gaussian of
    std 0 between two pixels is the mean of both.
    """
    distance, inside = _support(std, kernel_size, max_std, shift)
    exponent = -0.5 * (distance / std.clamp(min=IDENTITY_STD)[:, None]) ** 2
    return exponent.masked_fill(~inside, -math.inf).softmax(dim=1)


def _support(std: Tensor, kernel_size: int | None, max_std: float | None, shift: float) -> tuple[Tensor, Tensor]:
    """Distances of the taps from the Gaussian's centre, and which of them are within each picture's support."""
    if kernel_size is None:
        bound = max_std if max_std is not None else float(std.detach().max())
        reach = math.ceil(SUPPORT * bound) + math.ceil(abs(shift))
    else:
        reach = (kernel_size - 1) // 2
    distance = torch.arange(-reach, reach + 1, device=std.device, dtype=std.dtype)[None] - shift
    if kernel_size is not None:
        return distance, torch.ones_like(distance, dtype=torch.bool)
    return distance, distance.abs() <= (SUPPORT * std).ceil().clamp(min=0.5)[:, None]


def effective_std(taps: Float[Tensor, "batch taps"]) -> Float[Tensor, " batch"]:
    """Standard deviation in pixels of the kernel as truncated, sqrt(sum k(d) (d - m)^2) with its mean m; below that of the
    Gaussian it was cut from."""
    reach = (taps.shape[1] - 1) // 2
    distance = torch.arange(-reach, reach + 1, device=taps.device, dtype=taps.dtype)
    mean = (taps * distance).sum(dim=1, keepdim=True)
    return (taps * (distance - mean) ** 2).sum(dim=1).sqrt()


def blur_matrix(taps: Float[Tensor, "batch taps"], size: int) -> Float[Tensor, "batch size size"]:
    """The blur of a line of `size` pixels between mirrors (the edge pixel is not repeated), for taps of any reach.

    A line between mirrors has the period 2 (size - 1). With k(d) summed over that period, pixel j weighs k(j - i) and, as its
    mirror image, k(-j - i) in pixel i of the result; the two edge pixels are their own images.
    """
    if size == 1:
        return taps.new_ones(len(taps), 1, 1)
    reach, period = (taps.shape[1] - 1) // 2, 2 * (size - 1)
    place = torch.arange(reach, -reach - 1, -1, device=taps.device) % period
    reverse = taps.new_zeros(len(taps), period).index_add(1, place, taps)  # k(-d), d = 0 .. period - 1
    line = torch.cat([reverse[:, size - 1 :], reverse, reverse[:, :1]], dim=1)  # d = 1 - size .. period
    windows = line.unfold(1, size, 1)
    result = windows[:, :size].flip(2)
    result[:, :, 1:-1] += windows[:, size - 1 : 2 * size - 1, 1:-1]
    return result


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


def mirrored(pictures: Float[Tensor, "batch c h w"], reach: int) -> Float[Tensor, "batch c h2 w2"]:
    """Pictures with a mirror border of `reach` pixels, which may be wider than they are."""
    for dimension in (2, 3):
        size = pictures.shape[dimension]
        position = mirror(torch.arange(-reach, size + reach, device=pictures.device), size, reach)
        pictures = pictures.index_select(dimension, position)
    return pictures


def correlate(pictures: Float[Tensor, "batch c h w"], kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch c h w"]:
    """Each picture blurred by its own kernel, L(x) = sum_d k(d) H(x + d), between mirrors."""
    count, channels, height, width = pictures.shape
    reach = kernels.shape[-1] // 2
    wide = mirrored(pictures, reach)
    grouped = wide.reshape(1, count * channels, *wide.shape[2:])
    weight = kernels.to(pictures).repeat_interleave(channels, dim=0)[:, None]
    return functional.conv2d(grouped, weight, groups=count * channels).view(count, channels, height, width)


def moments(kernels: Float[Tensor, "batch k k"]) -> dict[str, Float[Tensor, " batch"]]:
    """What a kernel's mass says of it, in pixels and degrees.

    std_major, std_minor: standard deviations along its principal axes. angle_deg: of the major axis, from the columns' direction
    (x) towards the rows' (y), in [0,180). centre_x, centre_y: centre of mass, from the middle tap.
    """
    reach = kernels.shape[-1] // 2
    distance = torch.arange(-reach, reach + 1, device=kernels.device, dtype=kernels.dtype)
    along = {"y": kernels.sum(dim=2), "x": kernels.sum(dim=1)}
    centre = {axis: (mass * distance).sum(dim=1) for axis, mass in along.items()}
    variance = {axis: (mass * distance**2).sum(dim=1) - centre[axis] ** 2 for axis, mass in along.items()}
    both = (kernels * distance[:, None] * distance).sum(dim=(1, 2)) - centre["x"] * centre["y"]
    half, mean = (variance["x"] - variance["y"]) / 2, (variance["x"] + variance["y"]) / 2
    spread = torch.hypot(half, both)
    return {
        "std_major": (mean + spread).clamp(min=0).sqrt(),
        "std_minor": (mean - spread).clamp(min=0).sqrt(),
        "angle_deg": torch.rad2deg(torch.atan2(both, half) / 2) % 180,
        "centre_x": centre["x"],
        "centre_y": centre["y"],
    }


def even_response(taps: Float[Tensor, "b taps"], frequency: Float[Tensor, " f"]) -> Float[Tensor, "b f"]:
    """Fourier transform of taps that are symmetric about their centre, frequency in cycles/px."""
    reach = taps.shape[1] // 2
    distance = torch.arange(-reach, reach + 1, device=taps.device)
    return taps @ torch.cos(2 * torch.pi * distance[:, None] * frequency)
