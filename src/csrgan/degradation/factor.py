"""Further factors of the degradation besides blur, down-sampling and noise, each with a number drawn for each picture."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.prior import Uniform
from csrgan.errors import raise_faults
from csrgan.ranges import Share


class Factor(Recorded, ABC):
    """A factor of the degradation, such as a tone curve or a vignette. A class of your own defines `change`, and may set:

    unit: of the number, such as "px"; tables, panels and the page of a sweep show it; empty: none.
    place: `sharp` changes H before the blur; `low` changes L at the very end, as networks get it.
    neutral: the number that changes nothing, at or beyond one end of every range; None: there is none.

    low, high: the number is drawn uniformly between them. uniform_in: `value`, or `variance` to draw its square uniformly.
    absent: share of the pictures, 0 to 1, that are not changed: their number is `neutral`.
    Raises UserError for a low above high, and for an absent share of a factor whose `neutral` is None or within the range.

    A factor's name is its key, as in `+factor/gamma=mild`: the number is drawn, recorded in rows and tables and, if
    `degradation.predicted` has the name, predicted under it. There is no Cramer-Rao bound of it, nor of blur and noise beside it.

    >>> import csrgan, torch
    >>> from csrgan.degradation.factor import Factor
    >>> class Gamma(Factor):
    ...     def change(self, images, number):
    ...         return images ** number[:, None, None, None]
    >>> protocol = csrgan.Degradation(factors={"gamma": Gamma(low=0.8, high=1.25)})
    >>> made = csrgan.degrade(torch.full((1, 3, 32, 32), 0.5), protocol, theta={"gamma": 2.0, "noise_std": 0.0})
    >>> round(float(made.image.mean()), 3), float(made.parameters.gamma)
    (0.25, 2.0)
    """

    unit: ClassVar[str] = ""
    place: ClassVar[Literal["sharp", "low"]] = "low"
    neutral: ClassVar[float | None] = None

    def __init__(self, *, low: float, high: float, uniform_in: Literal["value", "variance"] = "value", absent: Share = 0.0) -> None:
        name = type(self).__name__
        raise_faults(rules.low_below_high(name, low, high))
        least = 0.0 if uniform_in == "variance" else -math.inf
        self.range = Uniform(low, high, uniform_in, least, self.unit, absent, self.neutral or 0.0)
        raise_faults(rules.neutral_beyond(name, absent, self.neutral, *replace(self.range, absent=0.0).bounds))

    @abstractmethod
    def change(self, images: Float[Tensor, "b c h w"], number: Float[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
        """Return the pictures, each changed by its number, on their device and without randomness; csrgan clips them to [0,1]."""
