"""The distribution that the degradation parameters are drawn from, and the units in which a network predicts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.fault import Fault, check


@dataclass(frozen=True)
class Uniform:
    """A parameter drawn uniformly between two bounds, of its standard deviation or of its variance.

    low, high: the bounds, in units of the drawn quantity (for a blur: px, or px^2 where the variance is drawn).
    uniform_in: `value` (for a blur or a noise: the standard deviation) or `variance` (its square).
    """

    low: float
    high: float
    uniform_in: Literal["value", "variance"] = "value"

    @property
    def power(self) -> int:
        return 2 if self.uniform_in == "variance" else 1

    def quantile(self, u: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """The value (never the variance) below which a share `u` of the draws lie."""
        return (self.low + u * (self.high - self.low)).clamp(min=0) ** (1 / self.power)

    def normalise(self, value: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """The share of the draws below `value`: [0,1] over the prior; 0 where the prior is a single value."""
        width = self.high - self.low
        return (value**self.power - self.low) / width if width else torch.zeros_like(value)

    @property
    def mean(self) -> float:
        """Expectation of the value."""
        if self.uniform_in == "value" or self.low == self.high:
            return (self.low + self.high) / 2 if self.uniform_in == "value" else self.low**0.5
        return 2 / 3 * (self.high**1.5 - self.low**1.5) / (self.high - self.low)

    @property
    def maximum(self) -> float:
        return self.high ** (1 / self.power)


class Prior:
    """Independent uniform priors of blur, scale and noise.

    blur, scale, noise: `{low, high, uniform_in}` each, see `Uniform`.
    predicted: the parameters a network is asked for, in the order of its outputs; the others are known constants.
    Raises Fault where a range is impossible.
    """

    def __init__(
        self,
        blur: Mapping[str, Any],
        scale: Mapping[str, Any],
        noise: Mapping[str, Any],
        predicted: Sequence[str] = NAMES,
    ) -> None:
        self.ranges = dict(zip(NAMES, (Uniform(**blur), Uniform(**scale), Uniform(**noise)), strict=True))
        self.predicted = tuple(predicted)
        lowest = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0}
        for key, name in zip(("blur", "scale", "noise"), NAMES, strict=True):
            here = self.ranges[name]
            check(
                here.uniform_in in ("value", "variance"),
                f"degradation.{key}.uniform_in={here.uniform_in} is neither value nor variance.",
            )
            check(
                here.low >= lowest[name],
                f"degradation.{key}.low={here.low:g} lies below {lowest[name]:g}, the least that has a meaning.",
            )
            check(here.high >= here.low, f"degradation.{key}.low={here.low:g} lies above degradation.{key}.high={here.high:g}.")
        for name in self.predicted:
            if name not in NAMES:
                raise Fault.unknown("degradation.predicted", name, NAMES)

    def sample(self, generator: np.random.Generator, count: int = 1) -> Parameters:
        """`count` independent draws; the same generator state gives the same draws on every machine."""
        return self.quantiles(torch.from_numpy(generator.random((count, len(NAMES)))).float())

    def quantiles(self, u: Float[Tensor, "batch 3"]) -> Parameters:
        return Parameters(*(self.ranges[name].quantile(u[:, k]) for k, name in enumerate(NAMES)))

    def grid(self, *, blur: int, scale: int, noise: int) -> Parameters:
        """The cells of a frozen evaluation grid: the prior's mid-quantiles, so many levels of each parameter.

        A parameter with a single value gets one level.
        """
        counts = [
            count if self.ranges[name].high > self.ranges[name].low else 1
            for name, count in zip(NAMES, (blur, scale, noise), strict=True)
        ]
        levels = [(torch.arange(count) + 0.5) / count for count in counts]
        return self.quantiles(torch.cartesian_prod(*levels))

    def mean(self, count: int = 1) -> Parameters:
        """The answer that needs no picture: the expectation of each parameter."""
        return Parameters(*(torch.full((count,), float(self.ranges[name].mean)) for name in NAMES))

    def normalise(self, parameters: Parameters) -> Float[Tensor, "batch p"]:
        """The predicted parameters in network units: each mapped to [0,1] by its own prior."""
        columns = [self.ranges[name].normalise(getattr(parameters, name)) for name in self.predicted]
        return torch.stack(columns, dim=1) if columns else parameters.blur_std.new_zeros(len(parameters), 0)

    def denormalise(self, theta: Float[Tensor, "batch p"]) -> Parameters:
        """Network units back to physical units; what is not predicted is answered by the prior's mean."""
        known = {name: value.to(theta) for name, value in vars(self.mean(len(theta))).items()}
        found = {name: self.ranges[name].quantile(theta[:, k]) for k, name in enumerate(self.predicted)}
        return Parameters(**(known | found))
