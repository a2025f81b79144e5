"""A second round of the degradation: what happens to a picture that is shared once more."""

from __future__ import annotations

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.degradation.bounds import KEYS, NEUTRAL, POSSIBLE, Blur, Noise, Scale
from csrgan.degradation.factor import Factor
from csrgan.degradation.linear import linear
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.spec import FULL
from csrgan.degradation.uniform import Uniform
from csrgan.errors import raise_faults

Number = Float[Tensor, " b"]


class Second(Factor):
    """One more round of Gaussian blur, bicubic down-sampling, Gaussian noise and bicubic enlargement to the size before, by the
    same exact operator (BSRGAN, Zhang et al. 2021; Real-ESRGAN, Wang et al. 2021). Its numbers KEY_blur_std, KEY_scale and
    KEY_noise_std are in pixels and fractions of full scale of the picture that it changes. Sides are rounded as in the first round.

    blur, scale, noise: their ranges, `{low, high, uniform_in, absent}` each, as in a protocol; each is absent by itself.

    >>> import csrgan, torch
    >>> from csrgan.degradation.factors.second import Second
    >>> again = Second(blur={"low": 0, "high": 1}, scale={"low": 1, "high": 2}, noise={"low": 0, "high": 0.02})
    >>> made = csrgan.degrade(torch.rand(1, 3, 32, 32), csrgan.Degradation(factors={"second": again}), theta={"second_scale": 2.0})
    >>> float(made.parameters.second_scale)
    2.0
    """

    parts = ("blur_std", "scale", "noise_std")
    noise_by = 2

    def __init__(self, *, blur: Blur, scale: Scale, noise: Noise) -> None:
        name, own = type(self).__name__, (blur, scale, noise)
        places = [f"{name}.{key}" for key in KEYS]
        raise_faults(*(rules.low_below_high(place, each["low"], each["high"]) for place, each in zip(places, own, strict=True)))
        units = ("px", "", "")
        self.ranges = tuple(
            replace(Uniform(**each), neutral=neutral, least=POSSIBLE[name][0], most=POSSIBLE[name][1], unit=unit)
            for each, name, neutral, unit in zip(own, NAMES, NEUTRAL, units, strict=True)
        )

    def change(
        self, images: Float[Tensor, "b c h w"], blur_std: Number, scale: Number, noise_std: Number, *, noise: Tensor | None
    ) -> Float[Tensor, "b c h w"]:
        spec = FULL
        if self.bounded:
            spec = replace(FULL, max_std=self.ranges[0].bounds[1], max_scale=self.ranges[1].bounds[1])
        return linear(images, Parameters(blur_std, scale, noise_std), noise=noise, spec=spec)
