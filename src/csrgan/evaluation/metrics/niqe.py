"""NIQE: how far the statistics of a picture are from those of undistorted photographs. It needs no sharp picture."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from csrgan.evaluation.metrics.luma import luma
from csrgan.evaluation.metrics.metric import Metric, Picture

MODEL = Path(__file__).with_name("niqe_model.csv")
BLOCK = 96  # px a side of the blocks whose statistics are compared, as in the paper
LEAST = 4  # blocks; with fewer, their mean says nothing
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to a pixel's neighbours, down and across

Maps = Float[Tensor, "n p q"]


def niqe(image: Picture) -> float:
    """Return the distance of a picture to undistorted photographs; about 2 to 5 for a good one; lower is better.

    nan for a picture that holds fewer than `LEAST` blocks of 96 px. Mittal, Soundararajan and Bovik 2013, equation 10.
    """
    rows, columns = (side // BLOCK for side in image.shape[-2:])
    return distance(features(image)) if rows * columns >= LEAST else math.nan


def features(image: Picture) -> Float[Tensor, "blocks 36"]:
    """Return the 36 statistics of each block of luma, 18 at full and 18 at half size (equations 1 to 8). They are nan for a block
    without any contrast."""
    rows, columns = (side // BLOCK for side in image.shape[-2:])
    if rows * columns == 0:
        return torch.empty(0, 36, dtype=torch.float64)
    y = (255 * luma(image[:1, :, : rows * BLOCK, : columns * BLOCK].double().cpu(), 0)).round()
    full, half = (_statistics(_blocks(_normalised(level), rows, columns)) for level in (y, _halved(y)))
    return torch.cat([full, half], dim=1)


def distance(blocks: Float[Tensor, "blocks 36"]) -> float:
    """Return the distance between the Gaussians of these features and of undistorted photographs (equation 10)."""
    whole = blocks[blocks.isfinite().all(dim=1)]
    if len(whole) < LEAST:
        return math.nan
    pristine = _pristine()
    difference = pristine.mean - blocks.nanmean(dim=0)
    covariance = (pristine.covariance + torch.cov(whole.T)) / 2
    return math.sqrt(max(float(difference @ torch.linalg.pinv(covariance, hermitian=True) @ difference), 0.0))


class _Gaussian(NamedTuple):
    mean: Float[Tensor, " 36"]
    covariance: Float[Tensor, "36 36"]


@lru_cache(maxsize=1)
def _pristine() -> _Gaussian:
    """Read the authors' model of undistorted photographs: the mean, and below it the covariance."""
    numbers = torch.from_numpy(np.loadtxt(MODEL, delimiter=","))
    return _Gaussian(numbers[0], numbers[1:])


@lru_cache(maxsize=1)
def _shapes() -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Return shapes of a generalised Gaussian, and for each the squared mean magnitude over the variance, which grows with it."""
    shape = torch.arange(200, 10001, dtype=torch.float64) / 1000
    one, two, three = (torch.lgamma(count / shape) for count in (1, 2, 3))
    return shape, torch.exp(2 * two - one - three)


def _halved(y: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h2 w2"]:
    """Return the picture at half its size, bicubic and antialiased, as MATLAB's imresize, which mirrors the borders."""
    mirrored = y
    for axis in (-2, -1):
        first, last = mirrored.narrow(axis, 0, 4), mirrored.narrow(axis, mirrored.shape[axis] - 4, 4)
        mirrored = torch.cat([first.flip(axis), mirrored, last.flip(axis)], dim=axis)
    return functional.interpolate(mirrored, scale_factor=0.5, mode="bicubic", antialias=True)[..., 2:-2, 2:-2]


def _normalised(y: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h w"]:
    """Subtract the local mean and divide by the local contrast (equation 1)."""
    image = y[0, 0].numpy().astype(np.float64)  # flat parts have variances that float32 would lose among its rounding errors
    average, square = (cv2.GaussianBlur(each, (7, 7), 7 / 6, borderType=cv2.BORDER_REPLICATE) for each in (image, image**2))
    normalised = (image - average) / (np.sqrt(np.abs(square - average**2)) + 1)
    return torch.from_numpy(normalised.astype(np.float32))[None, None]


def _blocks(image: Float[Tensor, "1 1 h w"], rows: int, columns: int) -> Maps:
    height, width = image.shape[-2] // rows, image.shape[-1] // columns
    return image.reshape(rows, height, columns, width).transpose(1, 2).reshape(-1, height, width)


def _statistics(maps: Maps) -> Float[Tensor, "n 18"]:
    """Return the shape and width of the normalised values, and shape, mean and both widths of the products of neighbours."""
    shape, left, right, _ = _fit(maps)
    columns = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right, mean = _fit(maps * maps.roll(shift, (-2, -1)))
        columns += [shape, mean, left, right]
    return torch.stack(columns, dim=1)


def _fit(maps: Maps) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Fit an asymmetric generalised Gaussian by its moments: return its shape, its left and right width, and its mean (n each)."""
    above = maps.flatten(1).clamp(min=0)
    halves = above - maps.flatten(1), above  # the magnitudes of the negative and of the positive values
    magnitude = maps.abs().flatten(1).sum(dim=1).double()
    squares = torch.stack([torch.linalg.vector_norm(half, dim=1).double().square() for half in halves])
    left, right = (squares / torch.stack([half.count_nonzero(dim=1) for half in halves])).sqrt()
    lean = left / right
    ratio = magnitude.square() / (squares.sum(dim=0) * maps[0].numel()) * (lean**3 + 1) * (lean + 1) / (lean**2 + 1).square()
    shapes, ratios = _shapes()
    upper = torch.searchsorted(ratios, ratio.nan_to_num(0.0)).clamp(1, len(ratios) - 1)
    nearest = upper - (ratio - ratios[upper - 1] < ratios[upper] - ratio).long()
    shape = torch.where(ratio.isfinite(), shapes[nearest], torch.nan)
    one, two, three = (torch.lgamma(count / shape) for count in (1, 2, 3))
    width = torch.exp((one - three) / 2)
    return shape, left * width, right * width, (right - left) * width * torch.exp(two - one)


NATURALNESS = Metric(niqe, heading="NIQE, without H (0 best)", short="NIQE", digits=2, best=-math.inf)
