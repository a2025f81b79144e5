"""Degrade pictures by a protocol, with drawn or given parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from csrgan.api.pictures import AnyPicture, opened
from csrgan.api.restoration import Theta
from csrgan.config.build import build
from csrgan.config.compose import protocol as settings
from csrgan.degradation import axial
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import degrade as degraded
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.prior import Prior
from csrgan.errors import UserError, require


@dataclass(frozen=True)
class Degraded:
    """L, and the applied parameters; the scale is the realised one, because sides of pictures are whole numbers.

    image: L, in the type of the input. kernel: (B, k, k) if the protocol applied another kernel than the isotropic Gaussian;
    blur_std is then the root of its mean variance over the axes.
    """

    image: np.ndarray | Tensor
    parameters: Theta
    kernel: Tensor | None = None


def degrade(
    sharp: AnyPicture,
    protocol: str | Degradation = "readme",
    theta: Mapping[str, float | Tensor] | Theta | None = None,
    seed: int = 0,
) -> Degraded:
    """Degrade pictures: blur, down-sample, add noise and, if the protocol says so, enlarge bicubically.

    sharp: H, in any type that a `csrgan.Model` takes; integer arrays give integer arrays, rounded.
    protocol: a name of `csrgan list degradation`, or a `csrgan.Degradation` of your own.
    theta: `blur_std` (HR px), `scale` (HR size / LR size), `noise_std` (fraction of full scale) and further factors of the
    protocol: a number each, or a tensor (B,) with one for each picture. The others are drawn from the protocol's prior.
    seed: for the drawn theta and noise. The same seed gives the same digits on every machine; pictures of a batch differ.

    Raises UserError for an unknown protocol or parameter, impossible values, and a blur_std if the protocol draws kernels.

    >>> import csrgan
    >>> degraded = csrgan.degrade("photo.png", theta={"blur_std": 2.0, "scale": 2.0, "noise_std": 0.01})
    >>> degraded.image.shape, degraded.parameters
    ((64, 96, 3), Theta(blur_std=2.0, scale=2.0, noise_std=0.01))
    """
    degradation = protocol_of(protocol)
    source = opened(sharp, "sharp")
    pictures = source.pictures[:, :1] if source.grey else source.pictures
    height, width = pictures.shape[-2:]
    multiple = degradation.multiple
    cut = f"sharp is {width}x{height} px, and L {multiple} times smaller: cut the sides to multiples of {multiple}."
    require(height % multiple == width % multiple == 0, cut)
    parts = [_drawn(degradation, seed, index) for index in range(len(pictures))]
    given = theta.named() if isinstance(theta, Theta) else theta or {}
    parameters = _with_given(Parameters.concatenate(parts), given, degradation).realised(height, width)
    seeds = [int(np.random.default_rng((seed, index, 1)).integers(2**62)) for index in range(len(pictures))]
    noise = degradation.noise(tuple(pictures.shape), parameters, seeds=seeds)
    spec = degradation.spec.unbounded()  # theta may lie outside the protocol
    device = pictures.device
    low = degraded(pictures, parameters.to(device), noise=noise.to(device), bits=degradation.flags["bits"], spec=spec)
    return Degraded(source.back(low), Theta.of(parameters, source.single), parameters.kernel)


def protocol_of(protocol: str | Degradation) -> Degradation:
    """Return the protocol of this name. Raises UserError for an unknown name."""
    result: Degradation = build(settings(protocol), "degradation") if isinstance(protocol, str) else protocol
    return result


def _drawn(degradation: Degradation, seed: int, index: int) -> Parameters:
    """Draw the parameters of the picture at this index of the batch."""
    return degradation.prior.sample(np.random.default_rng((seed, index)))


def _with_given(drawn: Parameters, given: Mapping[str, float | Tensor], degradation: Degradation) -> Parameters:
    """Return the drawn parameters with the given ones in their place. Raises UserError for impossible values."""
    values, prior = {}, degradation.prior
    known = (*NAMES, *prior.drawn, *(name for key in prior.axes for name in axial.names(key)))
    for name, value in given.items():
        require(
            drawn.kernel is None or name not in axial.names(axial.KERNEL),
            f"theta.{name} follows from the kernels that this protocol draws, so it cannot be given.",
        )
        if name not in known:
            raise UserError.unknown("theta", name, known)
        require(
            drawn.kernel is None or name != "blur_std",
            "theta.blur_std follows from the kernels that this protocol draws, so it cannot be given.",
        )
        numbers = torch.as_tensor(value, dtype=torch.float32).cpu()
        require(
            numbers.ndim == 0 or numbers.shape == (len(drawn),),
            f"theta.{name} has shape {tuple(numbers.shape)}: give one number, or one for each of {len(drawn)} pictures.",
        )
        minimum = prior.ranges[name].least if name in prior.ranges else -math.inf
        fits = bool((torch.isfinite(numbers) & (numbers >= minimum)).all())
        require(fits, f"theta.{name}={numbers.tolist()} lies below {minimum:g} or is not finite.")
        values[name] = numbers.expand(len(drawn)).clone()
    if "scale" in values and degradation.multiple > 1:
        fixed = degradation.prior.ranges["scale"].low
        require(bool((values["scale"] == fixed).all()), f"theta.scale: L of this protocol is always {fixed:g} times smaller.")
    return prior.completed(Parameters.of(drawn.present() | _of_components(values, prior)))


def _of_components(values: dict[str, Tensor], prior: Prior) -> dict[str, Tensor]:
    """Return the given numbers with sizes and angles in place of their components."""
    pairs = [axial.names(key) for key in prior.axes]
    for one, other in pairs:
        require((one in values) == (other in values), f"theta has one of {one} and {other}: give both.")
    followers = {name for pair in pairs for name in pair}
    return {name: value for name, value in prior.resolved(values, bounded=False).items() if name not in followers}
