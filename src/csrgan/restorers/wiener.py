"""A Wiener filter that is told the degradation: what a linear filter can do, and what knowing theta is worth."""

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
from csrgan.degradation.resample import cubic_response
from csrgan.errors import UserError
from csrgan.ranges import NotNegative
from csrgan.records import Restoration
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.restorer import Restorer


class Wiener(Restorer):
    """S^(f) = T* L^(f) / (|T|^2 + r f^2), f in cycles/px, for photographs whose power falls as 1/f^2 (Wiener 1949).

    T is the frequency response of the degradation: the kernel's, and of bicubic resampling that of the cubic, twice. r = floor +
    noise_weight (noise_std s)^2; the noise is spread over s pixels.

    oracle: the truth, or the prediction of another restorer, its `parameter_source`.
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

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        """S for theta^ of the parameter source. Raises UserError where there is none."""
        predicted = self.parameter_source.restore(low, names) if self.parameter_source else None
        if predicted is None or predicted.parameters is None:
            raise UserError("oracle=prediction needs a system that predicts: name its run as checkpoint=RUN_FOLDER.")
        return replace(predicted, image=self.restore_given(low, predicted.parameters).image, trace=())

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        """S on the device of L; it is computed on the CPU."""
        image = self.undone(enlarged(low, self.enlarge).cpu(), parameters.to("cpu"))
        return Restoration(image.clamp(0, 1).to(low.device))

    def undone(self, image: Float[Tensor, "b c h w"], parameters: Parameters) -> Float[Tensor, "b c h w"]:
        """The picture before it was degraded with these parameters, as near as this filter comes to it."""
        image = mirrored(image)
        height, width = image.shape[-2:]
        response = self.response(parameters, height, width)
        squared = torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.rfftfreq(width) ** 2
        strength = self.floor + self.noise_weight * (parameters.noise_std * parameters.scale) ** 2
        gain = response.conj() / (response.abs() ** 2 + strength[:, None, None] * squared)
        found = torch.fft.irfft2(torch.fft.rfft2(image) * gain[:, None], s=(height, width))
        return found[..., : height // 2 + 1, : width // 2 + 1]

    def response(self, parameters: Parameters, height: int, width: int) -> Float[Tensor, "b h w2"]:
        """T at the frequencies of a picture of height x width pixels."""
        down, across = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
        times = 2 if self.degradation.spec.downsampling == "bicubic" else 1  # up alone, where every s-th pixel is taken
        same = parameters.scale[:, None] == 1
        resampled = [cubic_response(parameters.scale[:, None] * f.abs()).masked_fill(same, 1.0) ** times for f in (down, across)]
        if parameters.kernel is None:
            taps = self.degradation.spec.taps(parameters)
            blurred = [even_response(taps, f) for f in (down, across)]
            return (blurred[0] * resampled[0])[:, :, None] * (blurred[1] * resampled[1])[:, None]
        reach = parameters.kernel.shape[-1] // 2
        wide = parameters.kernel.new_zeros(len(parameters), height, width)
        places = torch.arange(-reach, reach + 1)
        wide.index_put_(
            (torch.arange(len(parameters))[:, None, None], (places % height)[:, None], (places % width)[None]),
            parameters.kernel,
            accumulate=True,
        )
        return torch.fft.rfft2(wide).real * resampled[0][:, :, None] * resampled[1][:, None]


def mirrored(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    """One period of the picture between mirrors, 2 (side - 1) pixels: a blur between mirrors is a product on its spectrum."""
    image = torch.cat([image, image[..., 1:-1, :].flip(2)], dim=2)
    return torch.cat([image, image[..., 1:-1].flip(3)], dim=3)
