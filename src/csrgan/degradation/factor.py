"""Further factors of the degradation besides blur, down-sampling and noise, each with numbers drawn for each picture."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.uniform import Uniform
from csrgan.errors import raise_faults
from csrgan.ranges import Share


class Factor(Recorded, ABC):
    """A factor of the degradation, such as a tone curve or a vignette. A class of your own defines `change`, and may set:

    unit: of the number, such as "px"; tables, panels and the page of a sweep show it; empty: none.
    place: `sharp` changes H before the blur; `native` changes L's own pixels before they are enlarged, right after the noise; `low`
    changes L at the very end, as networks get it. `degradation.order` overrides it.
    possible: the least and the greatest number that are possible at all; predictions are shown within them.
    neutral: the number that changes nothing, at or beyond one end of every range; None: there is none.
    parts: names of several numbers; empty: one number. A factor `motion` with the parts `length` and `angle` has the numbers
    `motion_length` and `motion_angle`; its constructor sets `ranges`, one `Uniform` each.
    axial: whether its two numbers are a size and an angle in degrees that is the same after half a turn. A network predicts
    KEY_0 = size cos(2 angle) and KEY_45 = size sin(2 angle) in their place, which have no jump.
    noise_by: the position of the number that scales normal draws which `change` gets as `noise`; None: it gets none.
    pointwise: whether `change` treats each pixel alone; at `native`, this saves going through the sizes of the pictures.

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
    place: ClassVar[Literal["sharp", "native", "low"]] = "low"
    possible: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    neutral: ClassVar[float | None] = None
    parts: ClassVar[tuple[str, ...]] = ()
    axial: ClassVar[bool] = False
    noise_by: ClassVar[int | None] = None
    pointwise: ClassVar[bool] = False

    ranges: tuple[Uniform, ...]
    bounded = True  # whether every number lies in its range, which saves asking a device for the greatest

    def __init__(self, *, low: float, high: float, uniform_in: Literal["value", "variance"] = "value", absent: Share = 0.0) -> None:
        self.ranges = (self.first_range(low, high, uniform_in, absent),)

    def first_range(self, low: float, high: float, uniform_in: Literal["value", "variance"], absent: float) -> Uniform:
        """Return the range of the factor's first number. Raises UserError if it is impossible."""
        name = type(self).__name__
        raise_faults(rules.low_below_high(name, low, high))
        least, most = max(self.possible[0], 0.0 if uniform_in == "variance" else -math.inf), self.possible[1]
        result = Uniform(low, high, uniform_in, least, most, self.unit, absent, math.nan if self.neutral is None else self.neutral)
        raise_faults(rules.neutral_beyond(name, absent, self.neutral, *replace(result, absent=0.0).bounds))
        return result

    def names(self, key: str) -> tuple[str, ...]:
        """Return the names of the numbers of a factor with this key."""
        return tuple(f"{key}_{part}" for part in self.parts) or (key,)

    def unbounded(self) -> Factor:
        """Return this factor for numbers that may lie outside their ranges."""
        result = copy.copy(self)
        result.bounded = False
        return result

    @abstractmethod
    def change(self, images: Float[Tensor, "b c h w"], *numbers: Any, **noise: Any) -> Float[Tensor, "b c h w"]:
        """Return the pictures, each changed by its number, on their device; csrgan clips them to [0,1], but not at `native`.

        There is one argument (b,) for each number, in the order of `parts`. If `noise_by` is set, there is also `noise`, standard
        normal draws in the shape of the pictures, or None for the change without its noise.
        """
