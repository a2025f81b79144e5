"""The bounds of blur, scale and noise, as a configuration states them."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypedDict

from csrgan.ranges import NotNegative, Share

POSSIBLE = {"blur_std": (0.0, math.inf), "scale": (1.0, math.inf), "noise_std": (0.0, 1.0)}  # whatever the prior
KEYS = ("blur", "scale", "noise")  # configuration keys of the ranges of `NAMES`, under degradation
NEUTRAL = (0.0, 1.0, 0.0)  # the values of `NAMES` that change nothing


class Blur(TypedDict, total=False):
    """The range of the standard deviation in HR px, or of its square; see `Uniform`.

    low: the least draw. high: the greatest draw. uniform_in: what is drawn uniformly, the value or its square. absent: share of the
    pictures without it.
    """

    low: NotNegative
    high: NotNegative
    uniform_in: Literal["value", "variance"]
    absent: Share


class Scale(TypedDict, total=False):
    """The range of HR size / LR size; see `Uniform`.

    low: the least draw. high: the greatest draw. uniform_in: what is drawn uniformly, the value or its square. absent: share of the
    pictures without it.
    """

    low: Annotated[float, "[1,inf)"]
    high: Annotated[float, "[1,inf)"]
    uniform_in: Literal["value", "variance"]
    absent: Share


class Noise(TypedDict, total=False):
    """The range of the standard deviation as a fraction of full scale, or of its square; see `Uniform`.

    low: the least draw. high: the greatest draw. uniform_in: what is drawn uniformly, the value or its square. absent: share of the
    pictures without it.
    """

    low: Share
    high: Share
    uniform_in: Literal["value", "variance"]
    absent: Share
