"""The degradation L = U (P H P^T + n) U^T with P = Down_s Gauss_sigma and U = Up_s, each picture with its own theta.

Every step is separable, so each axis of a picture is two small banded matrices. On a CPU each picture's bands are multiplied
block by block; elsewhere the batch, zero-padded to a common size, is a few dense products, without a loop and, given the bounds
on the parameters, without asking the device for a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.kernels import SUPPORT, gaussian_taps, mirror, shifted
from csrgan.degradation.parameters import Parameters, low_size
from csrgan.degradation.resample import REACH, resample_band

BLOCK = 64  # rows of a large banded matrix that are multiplied together
SMALL = 128  # rows up to which blocks cost more than they save
CACHED = 2**18  # elements of a matrix that stay in a CPU's cache


@dataclass(frozen=True)
class Axis:
    """P and U along one axis of a batch. Rows of P and columns of U beyond a picture's low size are zero."""

    down: Float[Tensor, "batch low size"]
    up: Float[Tensor, "batch size low"]


def degrade(
    sharp: Float[Tensor, "batch channel height width"],
    parameters: Parameters,
    *,
    noise: Float[Tensor, "batch channel height width"] | None = None,
    kernel_size: int | None = None,
    bits: int | None = None,
    max_std: float | None = None,
    max_scale: float | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Blurred, down-sampled, noisy and bicubically up-sampled pictures of the same size, clipped to [0,1].

    noise: standard normal draws; the low-resolution corner of each picture is used. None leaves the noise out.
    kernel_size: odd number of taps at which the Gaussian is truncated; None means full support.
    bits: round the result to this many bits; None leaves it unrounded.
    max_std, max_scale: bounds on the parameters, so that a device need not be asked for their maximum.
    """
    with torch.autocast(sharp.device.type, enabled=False):  # half precision would ruin the filters
        if sharp.device.type == "cpu":
            low = _in_chunks(sharp, parameters, noise, kernel_size)
        else:
            low = _together(sharp, parameters, noise, kernel_size, max_std, max_scale)
    return low if bits is None else (low * (2**bits - 1)).round() / (2**bits - 1)


def axis(taps: Float[Tensor, "batch taps"], scale: Float[Tensor, " batch"], size: int, low: int, max_scale: float) -> Axis:
    """The matrices of an axis of `size` HR and at most `low` LR pixels, for the taps of each picture's blur and its scale.

    max_scale: a bound on the scales.
    """
    few = low_size(size, scale)
    many = torch.full_like(few, size)
    first, weight = resample_band(many, few, low, max_scale, taps.dtype)
    blur_reach = (taps.shape[1] - 1) // 2
    band = weight @ shifted(taps, weight.shape[2])
    # Rows beyond a picture's low size weigh nothing; they are only kept from pointing far outside.
    position = first.clamp(max=size)[..., None] - blur_reach + torch.arange(band.shape[2], device=taps.device)
    position = mirror(position, size, blur_reach + weight.shape[2])
    down = taps.new_zeros(len(taps), low, size).scatter_add(2, position, band)
    first, weight = resample_band(few, many, size, 1.0, taps.dtype)
    position = first[..., None] + torch.arange(weight.shape[2], device=taps.device)
    up = taps.new_zeros(len(taps), size, low).scatter_add(2, position.clamp(0, low - 1), weight)
    return Axis(down, up)


def _together(
    sharp: Tensor,
    parameters: Parameters,
    noise: Tensor | None,
    kernel_size: int | None,
    max_std: float | None,
    max_scale: float | None,
) -> Tensor:
    """The whole batch as four dense products."""
    height, width = sharp.shape[-2:]
    # Sizes are rounded, so that a scale is realised as a slightly larger one.
    bound = float(parameters.scale.max()) if max_scale is None else max_scale
    bound = max(side / max(side / bound - 0.5, 1) for side in (height, width))
    taps = gaussian_taps(parameters.blur_std, kernel_size=kernel_size, max_std=max_std)
    vertical = axis(taps, parameters.scale, height, height, bound)
    horizontal = vertical if width == height else axis(taps, parameters.scale, width, width, bound)
    low = vertical.down[:, None] @ sharp @ horizontal.down[:, None].mT
    if noise is not None:
        low = low + parameters.noise_std[:, None, None, None] * noise
    return (vertical.up[:, None] @ low @ horizontal.up[:, None].mT).clamp(0, 1)


def _in_chunks(sharp: Tensor, parameters: Parameters, noise: Tensor | None, kernel_size: int | None) -> Tensor:
    """Matrices made for as many pictures at a time as fit a cache; each picture trimmed to its own low size and band."""
    found = torch.empty_like(sharp)
    height, width = sharp.shape[-2:]
    chunk = max(1, CACHED // max(height, width) ** 2)
    for start in range(0, len(sharp), chunk):
        theta = parameters[start : start + chunk]
        sizes_h, sizes_w = low_size(height, theta.scale), low_size(width, theta.scale)
        taps = gaussian_taps(theta.blur_std, kernel_size=kernel_size)
        vertical = axis(taps, theta.scale, height, int(sizes_h.max()), height / int(sizes_h.min()))
        horizontal = vertical if width == height else axis(taps, theta.scale, width, int(sizes_w.max()), width / int(sizes_w.min()))
        reaches = [(taps.shape[1] - 1) // 2] * len(theta)
        if kernel_size is None:
            reaches = [math.ceil(SUPPORT * std) for std in theta.blur_std.tolist()]
        for k, (few_h, few_w, reach) in enumerate(zip(sizes_h.tolist(), sizes_w.tolist(), reaches, strict=True)):
            low = _rows(vertical.down[k, :few_h], sharp[start + k], reach)
            low = _rows(horizontal.down[k, :few_w], low.mT, reach).mT
            if noise is not None:
                low = low + theta.noise_std[k] * noise[start + k, :, :few_h, :few_w]
            low = _rows(horizontal.up[k, :, :few_w], low.mT, 0).mT
            found[start + k] = _rows(vertical.up[k, :, :few_h], low, 0).clamp(0, 1)
    return found


def _rows(
    matrix: Float[Tensor, "rows columns"], picture: Float[Tensor, "channel columns width"], reach: int
) -> Float[Tensor, "channel rows width"]:
    """matrix @ picture, without the zeros beside the matrix's band."""
    blocks = _blocks(matrix.shape[0], matrix.shape[1], reach)
    return torch.cat([matrix[rows, columns] @ picture[:, columns] for rows, columns in blocks], dim=1)


def _blocks(rows: int, columns: int, reach: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of rows of a resampling band with the columns that they touch; `reach` is that of a blur folded into it."""
    scale = columns / rows
    beside = REACH * max(scale, 1.0) + reach + 1
    block = BLOCK if rows > SMALL else rows
    for top in range(0, rows, block):
        bottom = min(top + block, rows)
        left, right = math.floor((top + 0.5) * scale - beside), math.ceil((bottom - 0.5) * scale + beside)
        if left < 0:  # what lies outside is folded back
            left, right = 0, max(right, 1 - left)
        if right > columns:
            left, right = max(min(left, 2 * (columns - 1) - right), 0), columns
        yield slice(top, bottom), slice(left, right)
