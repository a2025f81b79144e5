"""Degradations that a protocol does not have, to find out how pictures with them look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.factors.jpeg import JPEG, jpeg
from csrgan.degradation.factors.motion import Motion
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters

SHARP = "a sharp picture"
Pictures = Float[Tensor, "b 3 h w"]
Draw = Callable[[float, float], Float[Tensor, " b"]]  # one number a picture, drawn uniformly between two bounds


def foreign(
    degradation: Degradation, sharp: Pictures, parameters: Parameters, generator: np.random.Generator
) -> Iterator[tuple[str, Pictures]]:
    """Yield pictures L with a degradation that the protocol does not have, and its name, for each kind that is known.

    sharp: H. parameters: theta of the protocol, which L has beside it. generator: draws the noise and how strong the foreign
    degradation is.
    """

    def draw(low: float, high: float) -> Float[Tensor, " b"]:
        return torch.from_numpy(generator.uniform(low, high, len(sharp))).to(sharp)

    def low(images: Pictures = sharp, parameters: Parameters = parameters) -> Pictures:
        seeds = generator.integers(2**62, size=len(images)).tolist()
        return degradation.degrade(images, parameters, degradation.noise(tuple(images.shape), parameters, images.device, seeds))

    known = next((factor for _, factor in degradation.spec.factors if isinstance(factor, JPEG)), None)
    if not degradation.prior.may_be_sharp:
        yield SHARP, sharp
    yield "stronger blur", low(_blurred(sharp, degradation, draw(1.3, 2.0)))
    strongest = max(degradation.prior.ranges["noise_std"].bounds[1], 2 / 255)
    yield "stronger noise", low(parameters=replace(parameters, noise_std=strongest * draw(1.5, 3.0)))
    if known is None:
        yield "JPEG compression", jpeg(low(), draw(30, 96))
    elif known.ranges[0].low > 15:
        unchanged = replace(parameters, more={**parameters.more, **_qualities(degradation, draw(0.2, 0.7))})
        yield "stronger JPEG compression", low(parameters=unchanged)
    if "sharpening" not in parameters.more:
        yield "sharpening", _sharpened(low(), draw(1.0, 3.0))
    if not any(isinstance(factor, Motion) for _, factor in degradation.spec.factors):
        moved = Motion(low=8.0, high=25.0).change(sharp, draw(8.0, 25.0), draw(0.0, 180.0))
        yield "motion blur", low(moved, replace(parameters, blur_std=0.3 * parameters.blur_std))
    yield "single wrong pixels", _impulses(low(), draw(0.003, 0.02), generator)
    few = avg_pool2d(sharp, 4, ceil_mode=True)
    yield "enlarged pixels", interpolate(few, scale_factor=4.0)[..., : sharp.shape[-2], : sharp.shape[-1]]


def _qualities(degradation: Degradation, share: Tensor) -> Mapping[str, Tensor]:
    """Return qualities below the protocol's, as a share of its lowest, by the names of its JPEG factors."""
    return {name: factor.ranges[0].low * share for name, factor in degradation.spec.factors if isinstance(factor, JPEG)}


def _blurred(sharp: Pictures, degradation: Degradation, factor: Tensor) -> Pictures:
    """Return H blurred so that after the greatest blur of the protocol the standard deviation is `factor` times that."""
    greatest = max(degradation.prior.ranges["blur_std"].bounds[1], 1.0)
    std = greatest * (factor.square() - 1).sqrt()
    return degrade(sharp, Parameters(std, torch.ones_like(std), torch.zeros_like(std)))


def _sharpened(images: Pictures, amount: Tensor) -> Pictures:
    soft = avg_pool2d(pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (images + amount[:, None, None, None] * (images - soft)).clamp(0, 1)


def _impulses(images: Pictures, share: Tensor, generator: np.random.Generator) -> Pictures:
    drawn = torch.from_numpy(generator.random((len(images), 1, *images.shape[-2:]), dtype=np.float32)).to(images)
    share = share[:, None, None, None]
    return torch.where(drawn < share, torch.zeros_like(images), torch.where(drawn > 1 - share, torch.ones_like(images), images))
