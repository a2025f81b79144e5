"""Scores of a restored picture of which nobody knows H: its naturalness, and whether it leads back to L."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.evaluation.metrics.niqe import BLOCK, distance, features
from csrgan.evaluation.results import Row
from csrgan.networks.source import Source

LARGEST = 2**20  # px; of a larger picture, parts are scored
PARTS = 4  # along each axis
PART = 3 * BLOCK  # px a side
GRID = 8  # px; parts begin on the grid of JPEG's blocks
NEAR = 64  # px that a part may be moved so that it begins and ends on the grid of L
CAP = 100.0  # dB

Window = tuple[slice, slice]


def scores(low: Source, restored: Source, parameters: Parameters | None, prior: Prior, spec: DegradationSpec) -> Row:
    """Return `niqe_low`, `niqe_restored` and, if there is a theta^, `consistency_db`; "" for a picture too small for its score.

    low: L as the network takes it, as large as S or a whole number of times smaller. prior, spec: of the restorer.
    Of a picture of more than `LARGEST` px, `PARTS` x `PARTS` parts are scored.
    """
    times = restored.width // low.width
    windows = _windows(restored, PART, GRID * times)
    row: Row = {
        "niqe_low": _cell(_niqe(_enlarged(low, window, times) for window in windows)),
        "niqe_restored": _cell(niqe(restored)),
    }
    if parameters:
        within = prior.denormalise(prior.normalise(parameters).clamp(0, 1))  # the operator needs values that can be drawn
        row["consistency_db"] = _cell(_consistency(low, restored, within, spec))
    return row


def niqe(picture: Source) -> float:
    """Return NIQE of a picture, of a large one over its parts; nan for one that is too small."""
    return _niqe(picture.part(*window) for window in _windows(picture, PART, GRID))


def _cell(score: float) -> float | str:
    return score if math.isfinite(score) else ""


def _niqe(parts: Iterator[Float[Tensor, "1 3 h w"]]) -> float:
    return distance(torch.cat([features(part) for part in parts]))


def _enlarged(low: Source, window: Window, times: int) -> Float[Tensor, "1 3 h w"]:
    """Return the part of L under a part of S, at its size."""
    part = low.part(*_shrunk(window, times))
    if times == 1:
        return part
    return interpolate(part, scale_factor=times, mode="bicubic", antialias=True).clamp(0, 1)


def _consistency(low: Source, restored: Source, parameters: Parameters, spec: DegradationSpec) -> float:
    """Return `results.consistency`, of a large picture over its parts. A factor of the degradation that depends on the place in the
    whole picture is then not followed. What lies closer to the border of a part than the degradation reaches is cut off."""
    times, unbounded = restored.width // low.width, replace(spec, max_std=None, max_scale=None)
    scale, grid = float(parameters.scale[0]), GRID * times
    reach = parameters.kernel.shape[-1] if parameters.kernel is not None else 4 * float(parameters.blur_std[0])
    margin = grid * math.ceil((reach + 4 * scale) / grid)
    total, pixels = 0.0, 0
    for window in _windows(restored, PART + 2 * margin, grid, scale):
        degraded = degrade(restored.part(*window), parameters, spec=unbounded)
        error = (degraded - low.part(*_shrunk(window, times))).double().square()
        rows, columns = (
            slice(margin * (each.start > 0) // times, error.shape[axis] - margin * (each.stop < side) // times)
            for axis, each, side in ((-2, window[0], restored.height), (-1, window[1], restored.width))
        )
        error = error[..., rows, columns]
        total, pixels = total + float(error.sum()), pixels + error.numel()
    return min(10 * math.log10(pixels / max(total, 1e-30)), CAP)


def _shrunk(window: Window, times: int) -> Window:
    rows, columns = (slice(each.start // times, each.stop // times) for each in window)
    return rows, columns


def _windows(picture: Source, side: int, grid: int, scale: float = 1.0) -> Iterator[Window]:
    """Yield the whole picture or, if it is large, parts of about `side` px that begin and end on the grid and, nearly, on that of a
    picture that is `scale` times smaller."""
    if picture.height * picture.width <= LARGEST:
        side = max(picture.height, picture.width)
    for rows in _intervals(picture.height, side, grid, scale):
        for columns in _intervals(picture.width, side, grid, scale):
            yield rows, columns


def _intervals(size: int, side: int, grid: int, scale: float) -> Iterator[slice]:
    pitch = size / max(round(size / scale), 1)

    def aligned(place: float) -> int:
        if not 0 < place < size:
            return min(max(round(place), 0), size)
        near = range(max(grid * round((place - NEAR) / grid), 0), min(round(place + NEAR) + 1, size + 1), grid)
        return min(near, key=lambda each: (round(abs(each / pitch - round(each / pitch)), 3), abs(each - place)))

    count = min(PARTS, size // side) if size > side else 1
    for index in range(count):
        start = (size - side) * index / (count - 1) if count > 1 else max(size - side, 0) / 2
        yield slice(aligned(start), aligned(start + side))
