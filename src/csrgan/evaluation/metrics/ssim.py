"""Structural similarity, in RGB and in luma."""

from __future__ import annotations

import math

from torchmetrics.functional.image import structural_similarity_index_measure

from csrgan.evaluation.metrics.luma import luma
from csrgan.evaluation.metrics.metric import Metric, Picture


def ssim(image: Picture, sharp: Picture) -> float:
    """Return the structural similarity with an 11x11 Gaussian window of std 1.5 (Wang et al. 2004); 1 is equal.

    Averaged over the positions where the window fits, as in the paper's program; nan for a picture smaller than the window.
    """
    radius = 5
    if min(image.shape[-2:]) <= 2 * radius:
        return float("nan")
    _, similarity = structural_similarity_index_measure(image, sharp, data_range=1.0, return_full_image=True)
    return float(similarity[..., radius:-radius, radius:-radius].mean())


def ssim_y(image: Picture, sharp: Picture, border: int, luma_bits: int | None = None) -> float:
    """Return the SSIM of luma, rounded to `luma_bits` if given, without `border` px a side; nan if nothing is left."""
    mine, true = luma(image, border, luma_bits), luma(sharp, border, luma_bits)
    return ssim(mine, true) if true.numel() else math.nan


RGB = Metric(ssim, heading="SSIM, RGB", short="SSIM", digits=4)
Y = Metric(ssim_y, heading="SSIM, Y, border cut", short="SSIM of Y", digits=4)
