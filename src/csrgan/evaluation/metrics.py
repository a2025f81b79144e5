"""Scores of a restored picture against the sharp one. Pictures are used as they are: clipped to [0,1], not rounded.

Two conventions: RGB over the whole picture (CSRGAN's authors'), and luma Y with `crop` pixels cut off each side (the field's).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from csrgan.evaluation import colour
from csrgan.losses import backbones
from csrgan.losses.perceptual import FeatureDistance

Picture = Float[Tensor, "b c h w"]
COLOURS = ("red", "green", "blue")


def psnr(image: Picture, sharp: Picture) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE); higher is better. At most 100, also for equal pictures."""
    return min(float(peak_signal_noise_ratio(image.double(), sharp.double(), data_range=1.0)), 100.0)


def ssim(image: Picture, sharp: Picture) -> float:
    """Structural similarity with an 11x11 Gaussian window of std 1.5 (Wang et al. 2004); 1 is equal.

    Averaged over the places where the window fits, as in the paper's program. Of a smaller picture it is not defined: nan.
    """
    radius = 5
    if min(image.shape[-2:]) <= 2 * radius:
        return float("nan")
    _, everywhere = structural_similarity_index_measure(image, sharp, data_range=1.0, return_full_image=True)
    return float(everywhere[..., radius:-radius, radius:-radius].mean())


def luma(image: Float[Tensor, "b 3 h w"], crop: int) -> Float[Tensor, "b 1 h2 w2"]:
    """Y of ITU-R BT.601 in studio range, (16 + 65.481 R + 128.553 G + 24.966 B) / 255, without `crop` pixels a side."""
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    y = (image * weights).sum(dim=1, keepdim=True) / 255 + 16 / 255
    height, width = y.shape[-2:]
    return y[..., crop : height - crop, crop : width - crop]


def ciede2000(image: Picture, sharp: Picture) -> float:
    """Mean CIEDE2000 colour difference over the pixels; 0 is equal, 1 about the least that is noticed; lower is better."""
    return float(colour.ciede2000(image, sharp).mean())


def channel_statistics(image: Picture, sharp: Picture) -> dict[str, float]:
    """`shift_COLOUR`: mean of the picture minus mean of the sharp one, fraction of full scale; ideally 0.
    `contrast_COLOUR`: ratio of their standard deviations; ideally 1, nan where the sharp one has none."""
    found = {}
    for place, name in enumerate(COLOURS):
        mine, true = image[:, place].double(), sharp[:, place].double()
        deviation = float(true.std(correction=0))
        found[f"shift_{name}"] = float(mine.mean() - true.mean())
        found[f"contrast_{name}"] = float(mine.std(correction=0)) / deviation if deviation else math.nan
    return found


def hf_ratio(image: Picture, sharp: Picture) -> float:
    """Energy of luma above 0.25 cycles/px, as a ratio to the sharp picture's: below 1 is smoother, above 1 has detail or noise
    that is not there; nan where the sharp picture has none."""
    true = _high_frequency_energy(sharp)
    return _high_frequency_energy(image) / true if true > 0 else math.nan


def _high_frequency_energy(image: Picture) -> float:
    y = luma(image.double(), 0)
    height, width = y.shape[-2:]
    # A window keeps the jump from one border to the other out of the spectrum.
    down, across = (torch.hann_window(side + 2, periodic=False, dtype=y.dtype, device=y.device)[1:-1] for side in (height, width))
    power = torch.fft.fft2((y - y.mean()) * down[:, None] * across).abs().square()
    rows, columns = (torch.fft.fftfreq(side, dtype=y.dtype, device=y.device) for side in (height, width))
    return float(power[..., torch.hypot(rows[:, None], columns) > 0.25].sum())


def perceptual(images: Picture, sharp: Float[Tensor, "1 c h w"]) -> list[float]:
    """How differently a network that was trained to name what is in photographs sees each picture and the sharp one: see
    `FeatureDistance`; lower is better. Empty where its weights are not installed."""
    if not backbones.installed():
        return []
    with torch.no_grad():
        return [float(value) for value in _features().each(images, sharp)]


@lru_cache(maxsize=1)
def _features() -> FeatureDistance:
    return FeatureDistance(backbone=backbones.efficientnet_lite0, layers=(0, 2, 4, 10))
