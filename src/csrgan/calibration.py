"""Intervals that hold: factors on predicted standard deviations, by split conformal prediction."""

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

Rows = list[list[float]]  # pixels of a picture, and with as many a factor on the standard deviation of each parameter


class Distances(NamedTuple):
    """Of pictures of one size: their pixels, the photographs' names, and by how many predicted standard deviations theta^ misses
    the truth."""

    pixels: float
    names: list[str]
    values: Float[Tensor, "n p"]

    @classmethod
    def joined(cls, parts: Iterable[Distances]) -> Distances:
        """Those of one series of batches."""
        held = list(parts)
        names = [name for part in held for name in part.names]
        return cls(fmean(part.pixels for part in held), names, torch.cat([part.values for part in held]))

    def factors(self, without: str | None = None) -> list[float]:
        """[pixels, a factor for each parameter]. without: a photograph that is left out."""
        return [self.pixels, *conformal(self.values[[name != without for name in self.names]])]


@dataclass
class Calibration:
    """Factors by which nine tenths of the true values lie in the 90 % intervals: split conformal prediction with normalised
    residuals (Lei et al. 2018, section 5.2). Between the sizes that were seen they are interpolated over the logarithm of the
    pixels.

    rows: found on all photographs; empty: every factor is 1. leave_one_out: for each photograph the rows that the others give
    (cross-conformal prediction, Vovk 2015), by which it is evaluated.
    """

    rows: Rows = field(default_factory=list)
    leave_one_out: dict[str, Rows] = field(default_factory=dict)

    @classmethod
    def fitted(cls, sizes: Sequence[Distances]) -> Calibration:
        """From what was measured on pictures of each size."""
        photographs = dict.fromkeys(name for size in sizes for name in size.names)
        return cls(
            sorted(size.factors() for size in sizes),
            {name: sorted(size.factors(without=name) for size in sizes) for name in photographs},
        )

    def factors(self, pixels: int, count: int, photograph: str = "") -> list[float]:
        """On the standard deviation of each of `count` parameters, for a picture of so many pixels."""
        if not self.rows:
            return [1.0] * count
        sizes, *columns = zip(*self.leave_one_out.get(photograph, self.rows), strict=True)
        return [float(np.interp(math.log(pixels), np.log(sizes), column)) for column in columns]


def conformal(distances: Float[Tensor, "n p"]) -> list[float]:
    """The factor on each predicted standard deviation, of truths that were so many of them away; 1 where there are none."""
    if not len(distances):
        return [1.0] * distances.shape[1]
    rank = min(math.ceil(0.9 * (len(distances) + 1)), len(distances))
    factors: list[float] = (distances.sort(dim=0).values[rank - 1] / NINETY).tolist()
    return factors
