"""A degradation protocol as a Kornia augmentation: it draws theta for each picture, applies it, and keeps it as the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from kornia.augmentation import IntensityAugmentationBase2D
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation import operator
from csrgan.degradation.bounds import Blur, Noise, Scale
from csrgan.degradation.factor import Factor
from csrgan.degradation.factors.jpeg import JPEG
from csrgan.degradation.kernel_priors import KernelPrior
from csrgan.degradation.noise import standard_normal
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import raise_faults
from csrgan.ranges import Count, NotNegative

# The protocol `readme`: the text of CSRGAN's authors.
BLUR: Blur = {"low": 0.0, "high": 50.0, "uniform_in": "variance", "absent": 0.0}
SCALE: Scale = {"low": 1.0, "high": 3.0, "uniform_in": "value", "absent": 0.0}
NOISE: Noise = {"low": 0.0, "high": 10 / 255, "uniform_in": "value", "absent": 0.0}


class Degradation(Recorded, IntensityAugmentationBase2D):
    """Blur, down-sampling, noise and bicubic up-sampling, each picture of a batch with its own parameters.

    Like every Kornia augmentation it composes in `AugmentationSequential`, records what it drew in `_params`, and replays
    exactly: `degradation(x, params=degradation._params)`. Drawing uses torch's global generator; `recorded` makes such params
    from parameters that you choose.

    blur, scale, noise, predicted, tested_blur_std: see `Prior`.
    kernel: draws kernels instead of the isotropic Gaussian, see `kernel_priors`; None: the isotropic Gaussian.
    kernel_size: odd number of taps a side to cut the kernel off at; None: full support.
    downsampling, output, backend: see `DegradationSpec`.
    bits: round L to this many bits; None: leave it unrounded.
    factors: further factors by name, applied in this order (see `Factor`).
    order: the names of all steps in their order: blur, scale, noise, upsample, bits and each factor; None: see `Factor.place`.
    """

    def __init__(
        self,
        *,
        blur: Blur = BLUR,
        scale: Scale = SCALE,
        noise: Noise = NOISE,
        predicted: Sequence[str] = NAMES,
        tested_blur_std: Sequence[NotNegative] | None = None,
        kernel: KernelPrior | None = None,
        kernel_size: Count | None = None,
        downsampling: Literal["bicubic", "matlab", "direct", "area", "bilinear"] = "bicubic",
        output: Literal["native", "upsampled"] = "upsampled",
        bits: Count | None = None,
        backend: Literal["banded", "kornia"] = "banded",
        factors: Mapping[str, Factor] | None = None,
        order: Sequence[str] | None = None,
    ) -> None:
        super().__init__(p=1.0)
        low, high = float(scale["low"]) if not scale.get("absent") else 1.0, float(scale["high"])
        raise_faults(rules.odd_kernel_size(kernel_size), rules.single_scale(output, downsampling, low, high))
        added = tuple((factors or {}).items())
        steps = None if order is None else tuple(order)
        spec = DegradationSpec(kernel_size, downsampling, output, backend, max_scale=high, factors=added, order=steps)
        self.prior = Prior(
            blur,
            scale,
            noise,
            predicted,
            tested_blur_std=tested_blur_std,
            kernel=kernel,
            kernel_size=kernel_size,
            shift=spec.shift(),
            more={name: drawn for key, each in added for name, drawn in zip(each.names(key), each.ranges, strict=True)},
            axes={key: (each.names(key)[0], each.names(key)[1]) for key, each in added if each.axial},
        )
        self.spec = replace(spec, max_std=max(self.prior.ranges["blur_std"].bounds[1], *(tested_blur_std or [0.0])))
        self.flags: dict[str, Any] = {"spec": self.spec, "bits": bits}

    @property
    def multiple(self) -> int:
        """The sides of H must be a multiple of this, px, so that an upsampling network returns to the size of H."""
        scale = self.prior.ranges["scale"].high
        return int(scale) if self.spec.output == "native" and scale == round(scale) else 1

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        seed = int(torch.randint(2**62, ()))
        theta = self.prior.sample(np.random.default_rng(seed), batch_shape[0]).realised(*batch_shape[-2:])
        return self.recorded(theta, self.noise(tuple(batch_shape), theta))

    def noise(
        self, shape: tuple[int, ...], parameters: Parameters, device: torch.device | str = "cpu", seeds: Sequence[int] | None = None
    ) -> Float[Tensor, "b draws h w"]:
        """Draw what `degrade` needs for pictures of this shape (batch, channel, height, width), see `standard_normal`."""
        return standard_normal(shape, parameters, device, seeds, self.spec.draws)

    @property
    def draws(self) -> int:
        """How many standard normal draws a pixel and channel needs: one for the noise, and one for each factor that is noise."""
        return 1 + len(self.spec.draws)

    @property
    def codec(self) -> tuple[str, JPEG] | None:
        """The name and the factor of a JPEG compression that is the last step, so a JPEG file can hold L; None if there is none."""
        last = next((step for step in reversed(self.spec.steps) if step != "bits"), "")
        factor = dict(self.spec.factors).get(last)
        return (last, factor) if isinstance(factor, JPEG) and self.flags["bits"] in (None, 8) else None

    @staticmethod
    def recorded(parameters: Parameters, noise: Float[Tensor, "b draws h w"]) -> dict[str, Tensor]:
        """Return parameters and standard normal draws in the form in which Kornia records and replays them."""
        return {**parameters.present(), "noise": noise}

    @property
    def labels(self) -> Parameters:
        """The parameters applied by the last call."""
        return self._theta(self._params)

    def _theta(self, params: Mapping[str, Tensor]) -> Parameters:
        """Return theta out of Kornia's params."""
        return Parameters.of({name: params[name] for name in (*self.prior.ranges, "kernel") if name in params})

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        theta = self._theta(params).to(input)
        return degrade(input, theta, noise=params["noise"].to(input), bits=flags["bits"], spec=flags["spec"])

    def degrade(
        self, sharp: Float[Tensor, "b c h w"], parameters: Parameters, noise: Float[Tensor, "b draws h w"] | None = None
    ) -> Float[Tensor, "b c h2 w2"]:
        """Apply the protocol with these parameters and standard normal draws, without drawing or recording anything."""
        return degrade(sharp, parameters, noise=noise, **self.flags)


def redegraded(
    image: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"], degradation: Degradation
) -> Float[Tensor, "b 3 h2 w2"]:
    """Return A_theta of a picture for theta in network units, without noise; differentiable in the picture and all of theta."""
    # A parameter whose variance is drawn has no finite gradient at the lower end of its prior.
    parameters = degradation.prior.denormalise(theta.float().clamp(1e-3, 1))
    return operator.redegraded(image.float(), parameters, spec=degradation.spec)
