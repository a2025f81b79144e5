"""Noise of a sensor on L's own pixels: Poisson-Gaussian, the variance grows with the signal (Foi et al. 2008)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.factor import Factor
from csrgan.ranges import Share

Pictures = Float[Tensor, "b c h w"]


class SensorNoise(Factor):
    """Noise at the pixels of the small picture, of a strength that is a fraction; 0 changes nothing."""

    place = "native"
    possible = (0.0, 1.0)
    neutral = 0.0
    noise_by = 0
    pointwise = True

    def __init__(self, *, low: Share, high: Share, absent: Share = 0.0) -> None:
        super().__init__(low=low, high=high, absent=absent)


class ShotNoise(SensorNoise):
    """Photon noise: each pixel gets Gaussian noise of variance shot x signal, independent in each channel. With a `ReadNoise`
    behind it, the variance is shot x signal + read^2.

    The number is the variance at full scale, that is one over the photons that a white pixel counts; 0 changes nothing. The
    Gaussian stands for Poisson's distribution, which comes close to it from some ten photons on. It needs one normal draw a pixel,
    so that a picture's noise is the same in every batch, and it has a gradient in signal and number.

    low, high: of the number, drawn uniformly. absent: share of the pictures without it.

    >>> import csrgan, torch
    >>> from csrgan.degradation.factors.sensor import ReadNoise, ShotNoise
    >>> sensor = {"shot_noise": ShotNoise(low=0.0, high=0.01), "read_noise": ReadNoise(low=0.0, high=0.02)}
    >>> theta = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0, "shot_noise": 0.01, "read_noise": 0.02}
    >>> made = csrgan.degrade(torch.full((1, 3, 200, 200), 0.5), csrgan.Degradation(factors=sensor), theta)
    >>> round(float(made.image.var()), 4)
    0.0054
    """

    def change(self, images: Pictures, number: Float[Tensor, " b"], *, noise: Pictures | None) -> Pictures:
        if noise is None:
            return images
        present = number > 0  # the root has no finite gradient at 0
        root = number.masked_fill(~present, 1.0).sqrt() * present
        return images + root[:, None, None, None] * images.clamp(min=1e-8).sqrt() * noise


class ReadNoise(SensorNoise):
    """Noise of a sensor's electronics: the same Gaussian noise in dark and bright pixels. The number is its standard deviation as a
    fraction of full scale; 0 changes nothing.

    low, high: of the number, drawn uniformly. absent: share of the pictures without it.
    """

    def change(self, images: Pictures, number: Float[Tensor, " b"], *, noise: Pictures | None) -> Pictures:
        return images if noise is None else images + number[:, None, None, None] * noise
