"""A parameter that is drawn uniformly, and its position in its range: the unit in which a network predicts it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Uniform:
    """A parameter whose value, or whose square, is drawn uniformly between two bounds, or which is absent.

    low, high: the bounds, in units of the drawn quantity (for a blur: px, or px^2 if the variance is drawn).
    uniform_in: `value` (of a blur or a noise: the standard deviation) or `variance` (its square).
    least, most: the least and the greatest value that are possible at all; what is shown of a prediction lies between them.
    unit: of the value of a further factor, see `Factor`; empty: none.
    absent: probability of the value `neutral`, which changes nothing and lies at or beyond a bound; nan: there is no such value.

    Network units are the position between the bounds, `neutral` included if it can be drawn.
    """

    low: float
    high: float
    uniform_in: Literal["value", "variance"] = "value"
    least: float = 0.0
    most: float = math.inf
    unit: str = ""
    absent: float = 0.0
    neutral: float = 0.0

    @property
    def power(self) -> int:
        return 2 if self.uniform_in == "variance" else 1

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest drawn quantity, `neutral` included if it can be drawn."""
        neutral = (self.neutral**self.power,) if self.absent else ()
        return min((self.low, *neutral)), max((self.high, *neutral))

    def quantile(self, u: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """Return the value (never the variance) below which a share `u` of the draws lie."""
        if not self.absent:
            return self.physical(u)
        above = self.neutral**self.power >= self.high  # where the absent ones stand in the order of values
        present = (u if above else u - self.absent) / max(1 - self.absent, 1e-9)
        value = self._value(self.low + present.clamp(0, 1) * (self.high - self.low))
        return torch.where((present >= 1) if above else (present < 0), torch.full_like(value, self.neutral), value)

    def physical(self, units: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """Return the value (never the variance) that has this position in network units; it may be impossible."""
        low, high = self.ends
        return self._value(low + units * (high - low))

    def possible(self, value: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """Return the nearest possible value."""
        return value.clamp(self.least, self.most)

    def _value(self, drawn: Float[Tensor, ...]) -> Float[Tensor, ...]:
        return drawn if self.power == 1 else drawn.clamp(min=0) ** (1 / self.power)

    def normalise(self, value: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """Return the position of `value` in network units: [0,1] over the prior; 0 if the prior is a single value."""
        low, high = self.ends
        return (value**self.power - low) / (high - low) if high > low else torch.zeros_like(value)

    def units_of(self, other: Uniform) -> tuple[float, float] | None:
        """Return a factor and a shift that convert network units of the `other` prior to units of this one for the same value; None
        if no such pair exists, because one prior draws values and the other variances."""
        (low, high), (other_low, other_high) = self.ends, other.ends
        width, theirs = high - low, other_high - other_low
        if not width:
            return 1.0, 0.0  # a single value: its units mean nothing
        if theirs and self.power != other.power:
            return None
        return theirs / width, (other_low ** (self.power / other.power) - low) / width

    @property
    def mean(self) -> float:
        """The expectation of the value."""
        return (1 - self.absent) * self._mean_if_present + (self.absent * self.neutral if self.absent else 0.0)

    @property
    def _mean_if_present(self) -> float:
        if self.uniform_in == "value" or self.low == self.high:
            return (self.low + self.high) / 2 if self.uniform_in == "value" else self.low**0.5
        return 2 / 3 * (self.high**1.5 - self.low**1.5) / (self.high - self.low)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value (never the variance)."""
        low, high = (end ** (1 / self.power) for end in self.ends)
        return low, high
