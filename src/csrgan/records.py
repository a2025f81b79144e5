"""The values that travel between rooms, and the picture convention, stated once.

A picture is RGB float32 in [0,1], shape (3, height, width); a batch of them (batch, 3, height, width).
Symbols: sharp is H, low is L, restored is S; the degradation parameters theta are `Parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec

Picture = Float[Tensor, "b 3 h w"]


@dataclass(frozen=True)
class Batch:
    """Sharp pictures, what was done to them, and what came of it. chain: of the protocol that made L."""

    sharp: Float[Tensor, "b 3 h w"]
    low: Float[Tensor, "b 3 h2 w2"]
    parameters: Parameters
    names: tuple[str, ...]
    spec: DegradationSpec = DegradationSpec()

    def to(self, device: torch.device | str) -> Batch:
        """The same on that device, for Lightning too."""
        return replace(self, sharp=self.sharp.to(device), low=self.low.to(device), parameters=self.parameters.to(device))

    @property
    def enlarged(self) -> Picture:
        """L as large as H: enlarged bicubically where it is not, which is what a restorer must beat."""
        if self.low.shape == self.sharp.shape:
            return self.low
        result: Picture = interpolate(self.low, size=self.sharp.shape[-2:], mode="bicubic", antialias=True).clamp(0, 1)
        return result


@dataclass(frozen=True)
class Restoration:
    """What a system makes of L: S cut off to [0,1]; theta^, its standard deviations and the bounds of its 90 % interval, in
    physical units, where it predicts them; and its iterations."""

    image: Float[Tensor, "b 3 h w"]
    parameters: Parameters | None = None
    spread: Parameters | None = None
    interval: tuple[Parameters, Parameters] | None = None
    trace: tuple[Restoration, ...] = ()

    def to(self, device: torch.device | str) -> Restoration:
        """The same on that device, for Lightning too."""
        parameters, spread = (each and each.to(device) for each in (self.parameters, self.spread))
        interval = self.interval and (self.interval[0].to(device), self.interval[1].to(device))
        return Restoration(self.image.to(device), parameters, spread, interval, tuple(step.to(device) for step in self.trace))
