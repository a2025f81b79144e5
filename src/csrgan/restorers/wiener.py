"""A Wiener filter with a given degradation: what a linear filter can do, and what knowing theta is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernels import even_response
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.resample import cubic_response, response
from csrgan.errors import UserError
from csrgan.ranges import NotNegative
from csrgan.records import Restoration
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.restorer import Restorer


class Wiener(Restorer):
    """S^(f) = T* L^(f) / (|T|^2 + r f^2), f in cycles/px, for photographs whose power falls as 1/f^2 (Wiener 1949).

    T is the frequency response of the degradation: the kernel's, times those of down-sampling and of bicubic enlargement.
    r = floor + noise_weight (noise_std s)^2; enlarging spreads the noise over s pixels.

    oracle: the true parameters, or the prediction of another restorer, `parameter_source`.
    """

    outputs = ("upsampled", "native")
    oracle_modes = ("truth", "prediction")

    def __init__(
        self,
        *,
        oracle: Literal["truth", "prediction"] = "truth",
        floor: NotNegative = 0.2,
        noise_weight: NotNegative = 3000.0,
        degradation: Degradation | None = None,
    ) -> None:
        super().__init__(degradation or Degradation())
        self.use_oracle(oracle)
        self.floor, self.noise_weight = floor, noise_weight

    @property
    def prior(self) -> Prior:
        """That of what predicts: theta^ is the parameter source's."""
        return self.parameter_source.prior if self.oracle == "prediction" and self.parameter_source else super().prior

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        """Return S for theta^ of the parameter source. Raises UserError where there is none."""
        predicted = self.parameter_source.restore(low, names) if self.parameter_source else None
        if predicted is None or predicted.parameters is None:
            raise UserError("oracle=prediction needs a system that predicts: name its run as checkpoint=RUN_FOLDER.")
        return replace(predicted, image=self.restore_given(low, predicted.parameters).image, trace=())

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        """Return S on the device of L, computed on the CPU."""
        image = self.deconvolve(enlarged(low, self.enlarge).cpu(), parameters.to("cpu"))
        return Restoration(image.clamp(0, 1).to(low.device))

    def deconvolve(self, image: Float[Tensor, "b c h w"], parameters: Parameters) -> Float[Tensor, "b c h w"]:
        """Estimate the picture before its degradation with these parameters. image: L, as large as S."""
        image = mirrored(image)
        height, width = image.shape[-2:]
        response = self.response(parameters, height, width)
        squared = torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.rfftfreq(width) ** 2
        strength = self.floor + self.noise_weight * (parameters.noise_std * parameters.scale) ** 2
        gain = response.conj() / (response.abs() ** 2 + strength[:, None, None] * squared)
        restored = torch.fft.irfft2(torch.fft.rfft2(image) * gain[:, None], s=(height, width))
        return restored[..., : height // 2 + 1, : width // 2 + 1]

    def response(self, parameters: Parameters, height: int, width: int) -> Float[Tensor, "b h w2"]:
        """Return T at the frequencies of a picture of height x width pixels."""
        down, across = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
        equal, kind = parameters.scale[:, None] == 1, self.degradation.spec.downsampling
        cycles = [parameters.scale[:, None] * f.abs() for f in (down, across)]  # a pixel of L
        resampled = [(cubic_response(f) * response(kind, f)).masked_fill(equal, 1.0) for f in cycles]
        if parameters.kernel is None:
            taps = self.degradation.spec.taps(parameters)
            blurred = [even_response(taps, f) for f in (down, across)]
            return (blurred[0] * resampled[0])[:, :, None] * (blurred[1] * resampled[1])[:, None]
        reach = parameters.kernel.shape[-1] // 2
        padded = parameters.kernel.new_zeros(len(parameters), height, width)
        offsets = torch.arange(-reach, reach + 1)
        padded.index_put_(
            (torch.arange(len(parameters))[:, None, None], (offsets % height)[:, None], (offsets % width)[None]),
            parameters.kernel,
            accumulate=True,
        )
        return torch.fft.rfft2(padded).real * resampled[0][:, :, None] * resampled[1][:, None]


def mirrored(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    """Return one period of the mirrored picture, 2 (side - 1) pixels a side: on its spectrum, a blur is a product."""
    image = torch.cat([image, image[..., 1:-1, :].flip(2)], dim=2)
    return torch.cat([image, image[..., 1:-1].flip(3)], dim=3)
