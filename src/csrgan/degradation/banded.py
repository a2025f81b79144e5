"""The degradation on a CPU: each picture's banded matrices, multiplied block by block, without gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.kernels import SUPPORT, blur_matrix
from csrgan.degradation.parameters import Parameters, low_sizes
from csrgan.degradation.resample import REACH, Band, bicubic, decimation, resampled
from csrgan.degradation.spec import Between, DegradationSpec

BLOCK = 64  # rows of a large banded matrix that are multiplied together
SMALL = 128  # rows up to which blocks cost more than they save
CACHED = 2**18  # elements of a matrix that stay in a CPU's cache


@torch.no_grad()
def degrade_blocked(
    sharp: Float[Tensor, "batch channel height width"],
    parameters: Parameters,
    noise: Tensor | None,
    spec: DegradationSpec,
    between: Between | None = None,
) -> Float[Tensor, "batch channel height2 width2"]:
    """Degrade each picture with matrices of its own low size and band; as many blur matrices are made at a time as fit a cache."""
    count, channels, height, width = sharp.shape
    heights, widths = (size.tolist() for size in low_sizes(height, width, parameters.scale))
    axes = [(height, heights)] if height == width else [(height, heights), (width, widths)]
    native, blurred = spec.output == "native", spec.blurs(parameters)
    degraded = sharp.new_empty(count, channels, *((max(heights), max(widths)) if native else (height, width)))
    step = spec.step(parameters) if spec.downsampling == "direct" else None
    taps, reaches, stds = spec.taps(parameters), _reaches(parameters, spec), parameters.noise_std.tolist()
    chunk = max(1, CACHED // max(height, width) ** 2)
    blurs: list[Tensor] = []
    for k, (few_y, few_x, reach, std) in enumerate(zip(heights, widths, reaches, stds, strict=True)):
        if blurred and k % chunk == 0:
            blurs = [blur_matrix(taps[k : k + chunk], size) for size, _ in axes]
        matrices = [_resampling(size, few[k], step or spec.downsampling, sharp.dtype) for size, few in axes]
        (p_y, u_y), (p_x, u_x) = matrices[0], matrices[-1]
        if blurred:
            p = [_product(down, blur[k % chunk]) for (down, _), blur in zip(matrices, blurs, strict=True)]
            p_y, p_x = p[0], p[-1]
        # Columns come first and become rows of the result: with this layout each of the four steps is one matrix product.
        low = _product(p_x, sharp[k].reshape(channels * height, width).T, reach)
        low = _product(p_y, low.view(few_x * channels, height).T, reach, sharp.new_empty(few_x * channels, few_y).T).T
        if noise is not None and std:
            low.view(few_x, channels, few_y).add_(noise[k, :, :few_y, :few_x].permute(2, 0, 1), alpha=std)
        if between is not None:
            picture = between(slice(k, k + 1), low.view(few_x, channels, few_y).permute(1, 2, 0)[None])[0]
            low = picture.permute(2, 0, 1).reshape(few_x * channels, few_y)
        if native:
            degraded[k] = low.view(few_x, channels, few_y).permute(1, 2, 0)
            continue
        low = _product(u_y, low.T, out=sharp.new_empty(few_x * channels, height).T).T
        _product(u_x, low.view(few_x, channels * height), out=degraded[k].view(channels * height, width).T)
    return degraded


def _resampling(size: int, few: int, kind: int | str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return down-sampling (few, size) and up-sampling (size, few) of an axis. There are few sizes, so they are cached.

    kind: of the down-sampling, one of `KERNELS`, or the step of a direct one.
    """
    return _small(size, few, kind, dtype) if size <= SMALL else _dense(size, few, kind, dtype)


def _dense(size: int, few: int, kind: int | str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    down, up = _bands(size, few, kind, dtype)
    return down.matrix(slice(None), size)[0], up.matrix(slice(None), few)[0]


_small = lru_cache(maxsize=256)(_dense)  # at most 32 MB


@lru_cache(maxsize=512)
def _bands(size: int, few: int, kind: int | str, dtype: torch.dtype) -> tuple[Band, Band]:
    many, low = torch.tensor([size]), torch.tensor([few])
    scale = many.double() / low
    up = bicubic(low, many, 1 / scale, size, 1.0, dtype)
    if isinstance(kind, int):
        return decimation(low, kind, few, dtype), up
    return resampled(kind, many, low, scale, few, size / few, dtype), up


def _reaches(parameters: Parameters, spec: DegradationSpec) -> list[int]:
    """Return how many pixels to either side of its centre each picture's blur reaches along an axis."""
    if parameters.kernel is not None:
        return [0] * len(parameters)
    if spec.kernel_size is not None:
        return [(spec.kernel_size - 1) // 2] * len(parameters)
    margin = math.ceil(spec.shift(parameters))
    return [math.ceil(SUPPORT * std) + margin for std in parameters.blur_std.tolist()]


def _product(
    matrix: Float[Tensor, "rows columns"], picture: Float[Tensor, "columns width"], reach: int = 0, out: Tensor | None = None
) -> Float[Tensor, "rows width"]:
    """Return matrix @ picture, skipping the zeros outside the matrix's band."""
    if matrix.shape[0] <= SMALL:
        return torch.mm(matrix, picture, out=out)
    result = picture.new_empty(matrix.shape[0], picture.shape[1]) if out is None else out
    for rows, columns in blocks(matrix.shape[0], matrix.shape[1], reach):
        torch.mm(matrix[rows, columns], picture[columns], out=result[rows])
    return result


def blocks(rows: int, columns: int, reach: int) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of rows of a resampling band with the columns they touch. reach: of a blur multiplied into the band, px."""
    scale = columns / rows
    margin = REACH * max(scale, 1.0) + reach + 1
    for top in range(0, rows, BLOCK):
        bottom = min(top + BLOCK, rows)
        left, right = math.floor((top + 0.5) * scale - margin), math.ceil((bottom - 0.5) * scale + margin)
        if left < 0:  # the mirror border folds back what lies outside
            left, right = 0, max(right, 1 - left)
        if right > columns:
            left, right = max(min(left, 2 * (columns - 1) - right), 0), columns
        yield slice(top, bottom), slice(left, min(right, columns))
