"""Calibrated intervals: factors on predicted standard deviations, by split conformal prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.prior import NINETY

Rows = list[list[float]]  # see `Calibration.rows`
LEVELS, LEAST = 4, 40  # of the predicted standard deviation, each with a factor of its own; the least pictures that a level has


class Distances(NamedTuple):
    """For pictures of one size: their pixels, the photographs' names, the error of each theta^ in predicted standard deviations,
    and these, in network units."""

    pixels: float
    names: list[str]
    values: Float[Tensor, "n p"]
    stds: Float[Tensor, "n p"]

    @classmethod
    def concatenate(cls, batches: Iterable[Distances]) -> Distances:
        """Concatenate the distances of several batches."""
        parts = list(batches)
        names = [name for part in parts for name in part.names]
        pixels = fmean(part.pixels for part in parts)
        return cls(pixels, names, *(torch.cat([getattr(part, kind) for part in parts]) for kind in ("values", "stds")))

    def row(self, without: str | None = None) -> list[float]:
        """Return a row of `Calibration.rows`. without: a photograph to leave out."""
        kept = torch.tensor([name != without for name in self.names])
        values, stds = self.values[kept], self.stds[kept]
        levels = LEVELS if len(self.names) >= LEVELS * LEAST and len(values) >= LEVELS else 1
        if levels == 1:
            return [self.pixels, *conformal(values)]
        order = stds.argsort(dim=0)
        parts = (each.gather(0, order).tensor_split(levels) for each in (values, stds))
        groups = list(zip(*parts, strict=True))
        factors = [factor for group, _ in groups for factor in conformal(group)]
        return [self.pixels, *factors, *(float(level) for _, group in groups for level in group.median(dim=0).values)]


@dataclass
class Calibration:
    """Factors on the standard deviations that make 90 % intervals hold nine tenths of the true values: split conformal prediction
    with normalised residuals (Lei et al. 2018, section 5.2). With enough pictures, each quarter of them, from the most to the least
    certain, has a factor of its own (Mondrian conformal prediction, Vovk et al. 2003), so that the intervals hold nine tenths in
    clear pictures and in hard ones. In between, the factors are interpolated over the logarithms of the standard deviation and of
    the pixels.

    rows: from all photographs; empty: every factor is 1. Each row: pixels of a picture, then the factors of all parameters at each
    level, then the standard deviations of all parameters at each level; with one level only the pixels and the factors.
    leave_one_out: for each photograph the rows from all others (cross-conformal prediction, Vovk 2015), used when it is evaluated.
    """

    rows: Rows = field(default_factory=list)
    leave_one_out: dict[str, Rows] = field(default_factory=dict)

    @classmethod
    def fit(cls, sizes: Sequence[Distances]) -> Calibration:
        """Compute the factors from the distances measured at each size."""
        photographs = dict.fromkeys(name for size in sizes for name in size.names)
        return cls(
            sorted(size.row() for size in sizes),
            {name: sorted(size.row(without=name) for size in sizes) for name in photographs},
        )

    def factors(self, pixels: int, stds: Float[Tensor, "b p"], names: Sequence[str] = ()) -> Float[Tensor, "b p"]:
        """Return the factors on the standard deviations of pictures of so many pixels. names: of the photographs, or none."""
        if not self.rows:
            return torch.ones_like(stds)
        place = torch.tensor(float(pixels), dtype=torch.float64).log()
        rows = [self.leave_one_out.get(name, self.rows) for name in names] or [self.rows] * len(stds)
        each = [interpolated(rows, place, std[None].double().cpu()) for rows, std in zip(rows, stds, strict=True)]
        return torch.cat(each).to(stds)


def interpolated(rows: Rows, place: Tensor, stds: Float[Tensor, "b p"]) -> Float[Tensor, "b p"]:
    """Return the factors for pictures of `place`, the logarithm of their pixels, as operations that ONNX has too."""
    numbers = torch.tensor(rows, dtype=stds.dtype)
    parameters = stds.shape[1]
    table = numbers[:, 1:].reshape(len(rows), -1, parameters)
    if table.shape[1] == 1:
        return _between(place, numbers[:, 0].log(), table)[0].expand_as(stds)
    levels = table.shape[1] // 2
    mixed = _between(place, numbers[:, 0].log(), torch.cat([table[:, :levels], table[:, levels:].log()], dim=1))
    return _between(stds.log(), mixed[levels:], mixed[:levels])


def _between(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Interpolate values at increasing places along the first axis, constant beyond both ends."""
    result = values[0]
    for k in range(len(values) - 1):
        share = ((x - places[k]) / (places[k + 1] - places[k]).clamp(min=1e-6)).clamp(0, 1)
        result = result + share * (values[k + 1] - values[k])
    return result


def conformal(distances: Float[Tensor, "n p"]) -> list[float]:
    """Return the factor on each predicted standard deviation, from errors in units of it; 1 if there are no errors."""
    if not len(distances):
        return [1.0] * distances.shape[1]
    rank = min(math.ceil(0.9 * (len(distances) + 1)), len(distances))
    factors: list[float] = (distances.sort(dim=0).values[rank - 1] / NINETY).tolist()
    return factors
