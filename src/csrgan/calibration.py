"""Calibrated intervals: factors on predicted standard deviations, by split conformal prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.prior import NINETY

Rows = list[list[float]]  # each: pixels of a picture, then a factor on the standard deviation of each parameter at that size


class Distances(NamedTuple):
    """For pictures of one size: their pixels, the photographs' names, and the error of each theta^ in predicted standard
    deviations."""

    pixels: float
    names: list[str]
    values: Float[Tensor, "n p"]

    @classmethod
    def concatenate(cls, batches: Iterable[Distances]) -> Distances:
        """Concatenate the distances of several batches."""
        parts = list(batches)
        names = [name for part in parts for name in part.names]
        return cls(fmean(part.pixels for part in parts), names, torch.cat([part.values for part in parts]))

    def factors(self, without: str | None = None) -> list[float]:
        """Return [pixels, a factor for each parameter]. without: a photograph to leave out."""
        return [self.pixels, *conformal(self.values[[name != without for name in self.names]])]


@dataclass
class Calibration:
    """Factors on the standard deviations that make 90 % intervals hold nine tenths of the true values: split conformal prediction
    with normalised residuals (Lei et al. 2018, section 5.2). Between measured sizes the factors are interpolated over the logarithm
    of the pixels.

    rows: from all photographs; empty: every factor is 1. leave_one_out: for each photograph the rows from all others
    (cross-conformal prediction, Vovk 2015), used when that photograph is evaluated.
    """

    rows: Rows = field(default_factory=list)
    leave_one_out: dict[str, Rows] = field(default_factory=dict)

    @classmethod
    def fit(cls, sizes: Sequence[Distances]) -> Calibration:
        """Compute the factors from the distances measured at each size."""
        photographs = dict.fromkeys(name for size in sizes for name in size.names)
        return cls(
            sorted(size.factors() for size in sizes),
            {name: sorted(size.factors(without=name) for size in sizes) for name in photographs},
        )

    def factors(self, pixels: int, count: int, photograph: str = "") -> list[float]:
        """Return the factor on the standard deviation of each of `count` parameters, for a picture of `pixels` pixels."""
        if not self.rows:
            return [1.0] * count
        sizes, *columns = zip(*self.leave_one_out.get(photograph, self.rows), strict=True)
        return [float(np.interp(math.log(pixels), np.log(sizes), column)) for column in columns]


def conformal(distances: Float[Tensor, "n p"]) -> list[float]:
    """Return the factor on each predicted standard deviation, from errors in units of it; 1 if there are no errors."""
    if not len(distances):
        return [1.0] * distances.shape[1]
    rank = min(math.ceil(0.9 * (len(distances) + 1)), len(distances))
    factors: list[float] = (distances.sort(dim=0).values[rank - 1] / NINETY).tolist()
    return factors
