"""Degrading pictures by a protocol, with parameters that are drawn or given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from csrgan.api.pictures import AnyPicture, opened
from csrgan.api.restoration import Theta
from csrgan.config.build import build
from csrgan.config.compose import protocol as settings
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.noise import standard_normal
from csrgan.degradation.operator import degrade as degraded
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, require

LEAST = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0}


@dataclass(frozen=True)
class Degraded:
    """L, and the parameters that were applied, with the scale as realised: the sides of a picture are whole numbers.

    image: of the kind of what was degraded. kernel: (B, k, k) where a protocol applied another kernel than the isotropic Gaussian;
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
    """Degrade: blur, down-sample, add noise and, where the protocol says so, enlarge bicubically.

    sharp: H, see `csrgan.load`'s models for what it may be; integer arrays give integer arrays, rounded.
    protocol: a name of `csrgan list degradation`, or a `csrgan.Degradation` of your own.
    theta: `blur_std` (HR px), `scale` (HR size / LR size) and `noise_std` (fraction of full scale): a number each, or a tensor (B,)
    of one for each picture, and so of any further factor of the protocol. What is not given is drawn from the protocol's prior.
    seed: of what is drawn, theta and noise. The same seed gives the same digits on every machine; pictures of a batch differ.

    Raises UserError for an unknown protocol or parameter, values without a meaning, and a blur_std where kernels are drawn.

    >>> import csrgan
    >>> made = csrgan.degrade("photo.png", theta={"blur_std": 2.0, "scale": 2.0, "noise_std": 0.01})
    >>> made.image.shape, made.parameters
    ((64, 96, 3), Theta(blur_std=2.0, scale=2.0, noise_std=0.01))
    """
    degradation = protocol_of(protocol)
    given = opened(sharp, "sharp")
    pictures = given.pictures[:, :1] if given.grey else given.pictures
    height, width = pictures.shape[-2:]
    multiple = degradation.multiple
    cut = f"sharp is {width}x{height} px, and L {multiple} times smaller: cut the sides to multiples of {multiple}."
    require(height % multiple == width % multiple == 0, cut)
    parts = [_drawn(degradation, seed, index) for index in range(len(pictures))]
    known = theta.named() if isinstance(theta, Theta) else theta or {}
    parameters = _with(Parameters.concatenate(parts), known, degradation).realised(height, width)
    seeds = [int(np.random.default_rng((seed, index, 1)).integers(2**62)) for index in range(len(pictures))]
    noise = standard_normal(tuple(pictures.shape), parameters, seeds=seeds)
    spec = replace(degradation.spec, max_std=None, max_scale=None)  # theta may lie outside the protocol
    where = pictures.device
    low = degraded(pictures, parameters.to(where), noise=noise.to(where), bits=degradation.flags["bits"], spec=spec)
    return Degraded(given.back(low), Theta.of(parameters, given.single), parameters.kernel)


def protocol_of(named: str | Degradation) -> Degradation:
    """The protocol of this name. Raises UserError for none."""
    result: Degradation = build(settings(named), "degradation") if isinstance(named, str) else named
    return result


def _drawn(degradation: Degradation, seed: int, place: int) -> Parameters:
    """Parameters of the picture at this place of the batch."""
    return degradation.prior.sample(np.random.default_rng((seed, place)))


def _with(drawn: Parameters, given: Mapping[str, float | Tensor], degradation: Degradation) -> Parameters:
    """The parameters with those that are given. Raises UserError for what has no meaning."""
    found = {}
    for name, value in given.items():
        if name not in drawn.names:
            raise UserError.unknown("theta", name, drawn.names)
        require(drawn.kernel is None or name != "blur_std", "theta.blur_std: this protocol draws kernels, of which it follows.")
        numbers = torch.as_tensor(value, dtype=torch.float32).cpu()
        require(
            numbers.ndim == 0 or numbers.shape == (len(drawn),),
            f"theta.{name} is of shape {tuple(numbers.shape)}: give a number, or one for each of {len(drawn)} pictures.",
        )
        least = LEAST.get(name, -math.inf)
        fits = bool((torch.isfinite(numbers) & (numbers >= least)).all())
        require(fits, f"theta.{name}={numbers.tolist()} lies below {least:g} or is not finite.")
        found[name] = numbers.expand(len(drawn)).clone()
    if "scale" in found and degradation.multiple > 1:
        own = degradation.prior.ranges["scale"].low
        require(bool((found["scale"] == own).all()), f"theta.scale: L of this protocol is always {own:g} times smaller.")
    return Parameters.of(drawn.present() | found)
