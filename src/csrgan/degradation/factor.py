"""Further factors of the degradation besides blur, down-sampling and noise, each with a number drawn for each picture."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.prior import Uniform
from csrgan.errors import raise_faults


class Factor(Recorded, ABC):
    """A factor of the degradation, such as a tone curve or a vignette. A class of your own defines `change`, and may set:

    unit: of the number, such as "px"; tables, panels and the page of a sweep show it; empty: none.
    place: `sharp` changes H before the blur; `low` changes L at the very end, as networks get it.

    low, high: the number is drawn uniformly between them. uniform_in: `value`, or `variance` to draw its square uniformly.
    Raises UserError for a low above high.

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

    def __init__(self, *, low: float, high: float, uniform_in: Literal["value", "variance"] = "value") -> None:
        raise_faults(rules.low_below_high(type(self).__name__, low, high))
        self.range = Uniform(low, high, uniform_in, least=0.0 if uniform_in == "variance" else -math.inf, unit=self.unit)

    @abstractmethod
    def change(self, images: Float[Tensor, "b c h w"], number: Float[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
        """Return the pictures, each changed by its number, on their device and without randomness; csrgan clips them to [0,1]."""
