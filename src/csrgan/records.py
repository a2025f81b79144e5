"""The values that every part of csrgan exchanges, and the symbols and the picture convention, defined here once.

    H       the sharp (high-resolution) picture: `Batch.sharp`
    L       the degraded (low-resolution) picture made from H, a system's input: `Batch.low`; as large as H, or H / scale
    S       the picture that a system restores from L, its estimate of H: `Restoration.image`; as large as H
    theta   the degradation parameters that made L from H, see `Parameters`: `Batch.parameters`
    theta^  a system's prediction of theta from L: `Restoration.parameters`

Every picture is RGB float32 in [0,1], shape (3, height, width); a batch has shape (batch, 3, height, width).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec

Picture = Float[Tensor, "b 3 h w"]


@dataclass(frozen=True)
class Batch:
    """H, theta and L of several pictures.

    sharp: H. low: L. parameters: theta. names: of the photographs. spec: the constants of the protocol that made L.
    metrics: names of those that an evaluation computes besides the usual ones.
    convention: how they are scored, see `evaluation.conventions`. prior: from which the protocol draws theta; None: unknown.
    """

    sharp: Float[Tensor, "b 3 h w"]
    low: Float[Tensor, "b 3 h2 w2"]
    parameters: Parameters
    names: tuple[str, ...]
    spec: DegradationSpec = DegradationSpec()
    metrics: tuple[str, ...] = ()
    convention: str = "exact"
    prior: Prior | None = None

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on `device`; Lightning calls this too."""
        return replace(self, sharp=self.sharp.to(device), low=self.low.to(device), parameters=self.parameters.to(device))

    @property
    def enlarged(self) -> Picture:
        """L at the size of H, enlarged bicubically if it is smaller, which is the result that a restorer must beat."""
        if self.low.shape == self.sharp.shape:
            return self.low
        result: Picture = interpolate(self.low, size=self.sharp.shape[-2:], mode="bicubic", antialias=True).clamp(0, 1)
        return result


@dataclass(frozen=True)
class Restoration:
    """What a system makes of L.

    image: S, clipped to [0,1]. parameters: theta^, spread: its standard deviations, interval: the low and high bounds of its 90 %
    interval, all in physical units; None where the system does not predict them. trace: the results of a system's iterations.
    """

    image: Float[Tensor, "b 3 h w"]
    parameters: Parameters | None = None
    spread: Parameters | None = None
    interval: tuple[Parameters, Parameters] | None = None
    trace: tuple[Restoration, ...] = ()

    def to(self, device: torch.device | str) -> Restoration:
        """Return the restoration on `device`; Lightning calls this too."""
        parameters, spread = (theta and theta.to(device) for theta in (self.parameters, self.spread))
        interval = self.interval and (self.interval[0].to(device), self.interval[1].to(device))
        return Restoration(self.image.to(device), parameters, spread, interval, tuple(step.to(device) for step in self.trace))


class Looks(NamedTuple):
    """How pictures L look beside those of a training.

    names: for each, the name of a degradation that it has and the training had not; "" if there is none. shares: of S - L that are
    added to L without harm. sentences: for users, "" where there is nothing to tell.
    """

    names: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def foreign(self) -> bool:
        """Whether any picture has such a degradation."""
        return any(self.names)
