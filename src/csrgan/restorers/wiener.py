"""A Wiener filter with a given degradation: what a linear filter can do, and what knowing theta is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Literal

import torch
from jaxtyping import Float, Shaped
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

Pictures = Float[Tensor, "b c h w"]
Response = Shaped[Tensor, "b h w2"]  # at the frequencies of torch.fft.rfft2; real, or complex for a kernel that is not even
HIGHEST = 0.5  # cycles/px: that of the pixels of H
NOTHING = 1e-6  # where the enlargement lets nothing through, S has nothing of L


class Wiener(Restorer):
    """The linear estimate of least squared error (Wiener 1949) for photographs whose power falls as P(f) = 1/f^2, f in cycles/px.

    Down-sampling by s folds frequencies that lie 1/s apart onto each other, so each of them may claim its share of L alone:

        S^(f) = B*(f) P(f) / (sum over m of |B(f + m/s)|^2 P(f + m/s) + N) * L^(f) / U(f),   |f + m/s| < 1/2.

    B is the frequency response of the kernel and of down-sampling, U that of the bicubic enlargement of L. N = floor + noise_weight
    (noise_std s)^2; a pixel of L is as wide as s of H. The cubics count as continuous, and the borders as mirrored.

    oracle: the true parameters, or the prediction of another restorer, `parameter_source`.
    """

    outputs = ("upsampled", "native")
    oracle_modes = ("truth", "prediction")

    def __init__(
        self,
        *,
        oracle: Literal["truth", "prediction"] = "truth",
        floor: NotNegative = 0.02,
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

    def deconvolve(self, image: Pictures, parameters: Parameters) -> Pictures:
        """Estimate the picture before its degradation with these parameters. image: L, as large as S."""
        image = mirrored(image)
        height, width = image.shape[-2:]
        own, folded, enlarging = self.responses(parameters, height, width)
        noise = self.floor + self.noise_weight * (parameters.noise_std * parameters.scale) ** 2
        squared = _squared(torch.fft.fftfreq(height), torch.fft.rfftfreq(width))
        gain = own.conj() * enlarging / (enlarging**2 * (own.abs() ** 2 + squared * (folded + noise[:, None, None])) + NOTHING)
        restored = torch.fft.irfft2(torch.fft.rfft2(image) * gain[:, None], s=(height, width))
        return restored[..., : height // 2 + 1, : width // 2 + 1]

    def responses(self, parameters: Parameters, height: int, width: int) -> tuple[Response, Response, Response]:
        """Return B, the sum over m other than 0 of |B(f + m/s)|^2 P(f + m/s), and U at the frequencies of height x width pixels."""
        scale, spec = parameters.scale[:, None], self.degradation.spec
        axes, centre = (torch.fft.fftfreq(height), torch.fft.rfftfreq(width)), spec.shift(parameters)
        taps = None if parameters.kernel is not None else spec.taps(parameters)

        @cache
        def along(axis: int, copy: int) -> tuple[Tensor, Tensor]:
            """Return the frequencies f + m/s along an axis, and the response to them of what is separable."""
            moved = axes[axis] + copy / scale
            shrunk = response(spec.downsampling, scale * moved.abs()).masked_fill(scale == 1, 1.0)
            return moved, shrunk if taps is None else shrunk * even_response(taps, moved, centre)

        def before(copy: tuple[int, int]) -> Response:
            (down, y), (across, x) = along(0, copy[0]), along(1, copy[1])
            separable = y[:, :, None] * x[:, None]
            return separable if taps is not None else separable * kernel_response(parameters, down, across, width, copy, centre)

        own, folded = before((0, 0)), torch.zeros(len(scale), height, width // 2 + 1)
        last = math.ceil(float(scale.max())) - 1  # what lies s/s = 1 away is the same frequency of the pixels of H
        for copy in product(range(-last, last + 1), range(-last, last + 1)):
            if copy != (0, 0):
                (down, _), (across, _) = along(0, copy[0]), along(1, copy[1])
                inside = (down.abs() < HIGHEST)[:, :, None] & (across.abs() < HIGHEST)[:, None]
                folded += inside * before(copy).abs() ** 2 / _squared(down, across)
        up, right = (cubic_response(scale * f.abs()).masked_fill(scale == 1, 1.0) for f in axes)
        return own, folded, up[:, :, None] * right[:, None]


def kernel_response(
    parameters: Parameters,
    down: Float[Tensor, "b h"],
    across: Float[Tensor, "b w2"],
    width: int,
    copy: tuple[int, int],
    centre: float,
) -> Response:
    """Return the frequency response of the kernels about a point `centre` px behind the middle tap along both axes.

    down, across: frequencies of a picture of h x `width` pixels, moved by copy/s.
    """
    assert parameters.kernel is not None
    height, reach = down.shape[1], parameters.kernel.shape[-1] // 2
    offsets = torch.arange(-reach, reach + 1)
    turns = (copy[0] * offsets[:, None] + copy[1] * offsets) / parameters.scale[:, None, None]
    wide = torch.zeros(len(parameters), height, width, dtype=torch.complex64)
    place = (torch.arange(len(parameters))[:, None, None], (offsets % height)[:, None], (offsets % width)[None])
    wide.index_put_(place, parameters.kernel * torch.exp(-2j * torch.pi * turns), accumulate=True)
    about_middle = torch.fft.fft2(wide).conj()[..., : across.shape[1]]  # conj: L is the correlation of H with the kernel
    return about_middle * torch.exp(-2j * torch.pi * centre * (down[:, :, None] + across[:, None]))


def _squared(down: Float[Tensor, "*b h"], across: Float[Tensor, "*b w"]) -> Float[Tensor, "*b h w"]:
    """Return f^2, 1/P; above 0 so that P is finite."""
    return (down**2)[..., :, None] + (across**2)[..., None, :] + 1e-9


def mirrored(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    """Return one period of the mirrored picture, 2 (side - 1) pixels a side: on its spectrum, a blur is a product."""
    image = torch.cat([image, image[..., 1:-1, :].flip(2)], dim=2)
    return torch.cat([image, image[..., 1:-1].flip(3)], dim=3)
