"""A degradation protocol as a Kornia augmentation: draws theta for each picture, applies it, and keeps it as the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from kornia.augmentation import IntensityAugmentationBase2D
from torch import Tensor

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.prior import Prior
from csrgan.fault import check


class Degradation(IntensityAugmentationBase2D):
    """Blur, down-sampling, noise and bicubic up-sampling, each picture of a batch with its own parameters.

    Like every Kornia augmentation it composes in `AugmentationSequential`, records what it drew in `_params`, and replays
    exactly: `degradation(x, params=degradation._params)`. Drawing uses torch's global generator; `recorded` makes the
    params of a choice of one's own.

    blur, scale, noise, predicted: see `Prior`.
    kernel_size: odd number of taps at which the Gaussian is truncated; None: full support.
    bits: round L to this many bits; None: leave it unrounded.
    """

    def __init__(
        self,
        *,
        blur: Mapping[str, Any],
        scale: Mapping[str, Any],
        noise: Mapping[str, Any],
        predicted: Sequence[str] = NAMES,
        kernel_size: int | None = None,
        bits: int | None = None,
    ) -> None:
        super().__init__(p=1.0)
        odd = kernel_size is None or (kernel_size >= 1 and kernel_size % 2 == 1)
        check(odd, f"degradation.kernel_size={kernel_size} is not an odd number of pixels; null means full support.")
        check(bits is None or bits >= 1, f"degradation.bits={bits} is below 1; null leaves L unrounded.")
        self.prior = Prior(blur, scale, noise, predicted)
        self.flags = {
            "kernel_size": kernel_size,
            "bits": bits,
            "max_std": self.prior.ranges["blur_std"].maximum,
            "max_scale": self.prior.ranges["scale"].maximum,
        }

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        theta = self.prior.quantiles(torch.rand(batch_shape[0], len(NAMES))).realised(*batch_shape[-2:])
        return self.recorded(theta, torch.randn(batch_shape))

    @staticmethod
    def recorded(parameters: Parameters, noise: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """These parameters and standard normal draws in the form in which Kornia records and replays them."""
        return {**vars(parameters), "noise": noise}

    @property
    def labels(self) -> Parameters:
        """The parameters that the last call applied."""
        return Parameters(*(self._params[name] for name in NAMES))

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        theta = Parameters(*(params[name].to(input) for name in NAMES))
        return degrade(input, theta, noise=params["noise"].to(input), **{name: flags[name] for name in self.flags})
