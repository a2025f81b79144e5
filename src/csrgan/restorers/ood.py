"""Whether a picture lies outside what a network was trained on, told from the picture alone (out-of-distribution test)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.foreign import SHARP
from csrgan.networks.picture_statistics import TILE, PictureStatistics
from csrgan.networks.source import Source
from csrgan.records import Looks
from csrgan.tree import Settings

INSIDE = "inside"  # the class of the protocol's own pictures
UNKNOWN = "nothing that is known"
KEPT = 0.98  # share of the protocol's own pictures that each of the two tests lets pass
SHRINKAGE = 0.05  # added to the variances of the standardised statistics
FARTHEST = 8.0  # standard deviations at which a statistic is cut off
SHARES = (1.0, 0.75, 0.5, 0.25)  # of S - L that are tried
LOSS_DB = 0.1  # S may be this much worse than L
TENSORS = ("mean", "std", "means", "factors")


class Threshold(NamedTuple):
    """For pictures of so many pixels: the limits of `OODTest.scores`."""

    pixels: float
    excess: float
    distance: float


@dataclass(frozen=True)
class OODTest:
    """Two tests on `PictureStatistics`. The first compares the Gaussian of the protocol's own pictures with those of pictures that
    have a foreign degradation too (quadratic discriminant analysis); the second is the Mahalanobis distance from the former.

    mean, std: of each statistic over the protocol's own pictures. means, factors: the Gaussian of each class, in standardised
    statistics: its mean, and a matrix that turns the difference from it into independent numbers of unit variance.
    names: of the classes, the first is `INSIDE`. thresholds: of both tests, for pictures of several sizes. shares: for a foreign
    degradation, the share of S - L that may be added to L without harm, by the name of its class.
    """

    mean: Float[Tensor, " f"]
    std: Float[Tensor, " f"]
    means: Float[Tensor, "classes f"]
    factors: Float[Tensor, "classes f f"]
    names: tuple[str, ...]
    thresholds: tuple[Threshold, ...] = ()
    shares: tuple[tuple[str, float], ...] = ()

    @classmethod
    def fit(cls, statistics: Mapping[str, Float[Tensor, "n f"]]) -> OODTest:
        """Describe each class by the statistics of its pictures; the class `INSIDE` is that of the protocol's own."""
        own = statistics[INSIDE].double()
        mean, std = own.mean(dim=0), own.std(dim=0) + 0.02
        names = (INSIDE, *(name for name in statistics if name != INSIDE))
        gaussians = [_gaussian(((statistics[name].double() - mean) / std).clamp(-FARTHEST, FARTHEST)) for name in names]
        means, factors = (torch.stack(parts) for parts in zip(*gaussians, strict=True))
        mean, std, means, factors = (part.half().float() for part in (mean, std, means, factors))  # as a checkpoint keeps them
        return cls(mean, std, means, factors, names)

    def calibrated(self, sizes: Iterable[tuple[float, Float[Tensor, "n f"]]]) -> OODTest:
        """Choose the thresholds so that the protocol's own pictures pass. sizes: pixels, and the statistics of several pictures."""
        rows = []
        for pixels, statistics in sizes:
            excess, _, distance = self.scores(statistics)
            rows.append(Threshold(pixels, float(excess.quantile(KEPT)), float(distance.quantile(KEPT))))
        return replace(self, thresholds=tuple(sorted(rows)))

    def scores(self, statistics: Float[Tensor, "b f"]) -> tuple[Float[Tensor, " b"], Tensor, Float[Tensor, " b"]]:
        """Return the log likelihood of the nearest foreign class minus that of the protocol's, the index of that class, and the
        squared Mahalanobis distance from the protocol's, divided by its dimensions."""
        places = ((statistics - self.mean) / self.std).clamp(-FARTHEST, FARTHEST)
        white = torch.einsum("kij,bkj->bki", self.factors, places[:, None] - self.means)
        squares = white.square().sum(dim=2)
        likelihoods = self.factors.diagonal(dim1=1, dim2=2).log().sum(dim=1) - squares / 2
        nearest = likelihoods[:, 1:].max(dim=1)
        return nearest.values - likelihoods[:, 0], nearest.indices + 1, squares[:, 0] / len(self.mean)

    def looks(self, picture: Source) -> Looks:
        """Return how pictures look: one that is foreign has the name of its degradation, `UNKNOWN` if that has none. Pictures that
        are too small to tell are not foreign."""
        if min(picture.height, picture.width) < TILE or not self.thresholds:
            return Looks()
        pixel = picture.part(slice(0, 1), slice(0, 1))
        excess, nearest, distance = self.scores(PictureStatistics().to(pixel.device).read(picture).to(self.mean))
        first, second = self._limits(picture.height * picture.width)
        named = [self.names[index] if bool(more) else "" for index, more in zip(nearest.tolist(), excess > first, strict=True)]
        names = tuple(name or (UNKNOWN if bool(far) else "") for name, far in zip(named, distance > second, strict=True))
        known = {"": 1.0, **dict(self.shares)}
        shares = tuple(known.get(name, 0.0) for name in names)
        return Looks(names, shares, tuple(name and _sentence(name, share) for name, share in zip(names, shares, strict=True)))

    def _limits(self, pixels: int) -> tuple[float, float]:
        """Return the thresholds of both tests for this size, interpolated over the logarithm of the pixels."""
        sizes, *limits = (np.array(column) for column in zip(*self.thresholds, strict=True))
        first, second = (float(np.interp(math.log(pixels), np.log(sizes), column)) for column in limits)
        return first, second

    def content(self) -> Settings:
        """Return it as tensors and plain values, for a checkpoint."""
        tensors = {name: getattr(self, name).half() for name in TENSORS}
        rows = [list(row) for row in self.thresholds]
        return {**tensors, "names": list(self.names), "thresholds": rows, "shares": dict(self.shares)}

    @classmethod
    def of(cls, content: Settings) -> OODTest:
        """Read what `content` returned. Raises TypeError for anything else."""
        tensors, names, rows, shares = (
            [content[name] for name in TENSORS],
            content["names"],
            content["thresholds"],
            content["shares"],
        )
        count, width = len(names), PictureStatistics.features
        shapes = ((width,), (width,), (count, width), (count, width, width))
        for tensor, shape in zip(tensors, shapes, strict=True):
            if not isinstance(tensor, Tensor) or tensor.shape != shape or not bool(torch.isfinite(tensor).all()):
                raise TypeError
        if count < 2 or not all(isinstance(name, str) and name.isprintable() and len(name) < 100 for name in names):
            raise TypeError
        thresholds = tuple(Threshold(*map(float, row)) for row in rows)
        if not all(row.pixels > 0 and all(map(math.isfinite, row)) for row in thresholds):
            raise TypeError
        known = tuple((str(name), min(max(float(share), 0.0), 1.0)) for name, share in shares.items())
        mean, std, means, factors = (tensor.float() for tensor in tensors)
        return cls(mean, std, means, factors, tuple(names), thresholds, known)


def _gaussian(places: Float[Tensor, "n f"]) -> tuple[Float[Tensor, " f"], Float[Tensor, "f f"]]:
    """Return the mean, and the inverse of the Cholesky factor of the shrunk covariance."""
    mean = places.mean(dim=0)
    covariance = torch.cov((places - mean).T) + SHRINKAGE * torch.eye(places.shape[1]).to(places)
    factor = torch.linalg.cholesky(covariance)
    return mean, torch.linalg.solve_triangular(factor, torch.eye(len(mean)).to(factor), upper=False)


def harmless_share(low: Tensor, restored: Tensor, sharp: Tensor) -> float:
    """Return the greatest share of S - L that leaves every picture at most `LOSS_DB` worse than L."""

    def errors(share: float) -> Tensor:
        return (torch.lerp(low, restored, share) - sharp).square().flatten(1).mean(dim=1).clamp(min=1e-10)

    limit = errors(0.0) * 10 ** (LOSS_DB / 10)
    for share in SHARES:
        if bool((errors(share) <= limit).all()):
            return share
    return 0.0


def _sentence(looks: str, share: float) -> str:
    """Return what to tell a user of a picture that looks foreign. share: of S - L that was added to L."""
    image = "L" if share == 0 else "as restored" if share == 1 else f"{share:.0%} restored and {1 - share:.0%} L"
    seen = "nothing that the model has seen" if looks == UNKNOWN else f"{looks}, which the model has not seen"
    reason = f"{looks}, with nothing to undo" if looks == SHARP else seen
    return f"this looks like {reason}: theta is not given, and S is {image}."
