"""Blur kernels: Gaussian taps, their matrices along one axis, and what a kernel's moments are."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

# Below this standard deviation the nearest neighbour weighs exp(-5000): the sampled Gaussian is exactly the identity.
IDENTITY_STD = 0.01
SUPPORT = 4.0  # radius of the full kernel, in standard deviations


def gaussian_taps(
    std: Float[Tensor, " batch"], *, kernel_size: int | None = None, max_std: float | None = None, shift: float = 0.0
) -> Float[Tensor, "batch taps"]:
    """Return a Gaussian sampled at pixel centres, exp(-(d - shift)^2 / (2 std^2)) for |d - shift| <= radius, normalised to sum 1.

    The radius is ceil(4 std) of each picture; a kernel size keeps the taps |d| <= (kernel_size - 1) / 2 instead. `max_std` bounds
    the standard deviations and saves asking a device for their maximum. A Gaussian of std 0 between two pixels is the mean of both.
    """
    distance, inside = _support(std, kernel_size, max_std, shift)
    exponent = -0.5 * (distance / std.clamp(min=IDENTITY_STD)[:, None]) ** 2
    return exponent.masked_fill(~inside, -math.inf).softmax(dim=1)


def _support(std: Tensor, kernel_size: int | None, max_std: float | None, shift: float) -> tuple[Tensor, Tensor]:
    """Return the distances of the taps from the Gaussian's centre, and which taps are within each picture's support."""
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
    """Return the standard deviation in pixels of the kernel as truncated, sqrt(sum k(d) (d - m)^2) with its mean m; it is below
    that of the full Gaussian."""
    reach = (taps.shape[1] - 1) // 2
    distance = torch.arange(-reach, reach + 1, device=taps.device, dtype=taps.dtype)
    mean = (taps * distance).sum(dim=1, keepdim=True)
    return (taps * (distance - mean) ** 2).sum(dim=1).sqrt()


def blur_matrix(taps: Float[Tensor, "batch taps"], size: int) -> Float[Tensor, "batch size size"]:
    """Return the blur of a line of `size` pixels with mirror borders (the edge pixel is not repeated), for taps of any reach.

    A line between mirrors has the period 2 (size - 1). With k(d) summed over that period, pixel j weighs k(j - i) and, as its
    mirror image, k(-j - i) in pixel i of the result; the two edge pixels are their own images.
    """
    if size == 1:
        return taps.new_ones(len(taps), 1, 1)
    reach, period = (taps.shape[1] - 1) // 2, 2 * (size - 1)
    index = torch.arange(reach, -reach - 1, -1, device=taps.device) % period
    reverse = taps.new_zeros(len(taps), period).index_add(1, index, taps)  # k(-d), d = 0 .. period - 1
    line = torch.cat([reverse[:, size - 1 :], reverse, reverse[:, :1]], dim=1)  # d = 1 - size .. period
    windows = line.unfold(1, size, 1)
    result = windows[:, :size].flip(2)
    result[:, :, 1:-1] += windows[:, size - 1 : 2 * size - 1, 1:-1]
    return result


def mirror(position: Int[Tensor, "*shape"], size: int, reach: int) -> Int[Tensor, "*shape"]:
    """Map a position outside 0 .. size - 1 to the pixel it mirrors; the edge pixel is not repeated.

    reach: how far outside a position can lie; a border wider than the picture mirrors more than once.
    """
    if size == 1:
        return torch.zeros_like(position)
    for _ in range(math.ceil(reach / (size - 1))):
        position = position.abs()
        position = torch.where(position < size, position, 2 * (size - 1) - position)
    return position


def mirrored(pictures: Float[Tensor, "batch c h w"], reach: int) -> Float[Tensor, "batch c h2 w2"]:
    """Return pictures with a mirror border of `reach` pixels, which may be wider than the pictures."""
    if reach < min(pictures.shape[2:]) and not pictures.requires_grad:  # its gradient is summed in another order
        return functional.pad(pictures, (reach,) * 4, mode="reflect")  # the same, and much faster
    for dimension in (2, 3):
        size = pictures.shape[dimension]
        position = mirror(torch.arange(-reach, size + reach, device=pictures.device), size, reach)
        pictures = pictures.index_select(dimension, position)
    return pictures


def correlate(pictures: Float[Tensor, "batch c h w"], kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch c h w"]:
    """Blur each picture by its own kernel, sum_d k(d) H(x + d), with mirror borders."""
    count, channels, height, width = pictures.shape
    reach = kernels.shape[-1] // 2
    wide = mirrored(pictures, reach)
    grouped = wide.reshape(1, count * channels, *wide.shape[2:])
    weight = kernels.to(pictures).repeat_interleave(channels, dim=0)[:, None]
    return functional.conv2d(grouped, weight, groups=count * channels).view(count, channels, height, width)


def moments(kernels: Float[Tensor, "batch k k"]) -> dict[str, Float[Tensor, " batch"]]:
    """Return the moments of kernels, in pixels and degrees.

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


def ellipticity(kernels: Float[Tensor, "batch k k"]) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Return (C_xx - C_yy) / (C_xx + C_yy) and 2 C_xy / (C_xx + C_yy) of the kernels' covariances C, each in [-1,1]; 0 if round.

    With v1 and v2 the variances along the principal axes and a the angle of the first, these are e cos(2 a) and e sin(2 a) with
    e = (v1 - v2) / (v1 + v2). Together with `blur_std`, the root of (v1 + v2) / 2, they say the same as v1, v2 and a.
    """
    found = moments(kernels)
    major, minor, twice = found["std_major"] ** 2, found["std_minor"] ** 2, torch.deg2rad(2 * found["angle_deg"])
    size = (major - minor) / (major + minor).clamp(min=1e-12)
    return size * twice.cos(), size * twice.sin()


def even_response(taps: Float[Tensor, "b taps"], frequency: Float[Tensor, "*b f"], centre: float = 0.0) -> Float[Tensor, "b f"]:
    """Return the Fourier transform of taps that are symmetric about a point `centre` px behind the middle one.

    frequency: cycles/px, of each picture or of all.
    """
    reach = taps.shape[1] // 2
    distance = torch.arange(-reach, reach + 1, device=taps.device) - centre
    return (taps[:, None] @ torch.cos(2 * torch.pi * distance[:, None] * frequency[..., None, :]))[:, 0]
