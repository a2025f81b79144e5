"""Peak signal-to-noise ratio, in RGB and in luma."""

from __future__ import annotations

import math

from torchmetrics.functional.image import peak_signal_noise_ratio

from csrgan.evaluation.metrics.luma import luma
from csrgan.evaluation.metrics.metric import Metric, Picture


def psnr(image: Picture, sharp: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB, 10 log10(1 / MSE); higher is better. At most 100, also for equal pictures."""
    return min(float(peak_signal_noise_ratio(image.double(), sharp.double(), data_range=1.0)), 100.0)


def psnr_y(image: Picture, sharp: Picture, border: int, luma_bits: int | None = None) -> float:
    """Return the PSNR of luma, rounded to `luma_bits` if given, without `border` px a side; nan if nothing is left."""
    mine, true = luma(image, border, luma_bits), luma(sharp, border, luma_bits)
    return psnr(mine, true) if true.numel() else math.nan


RGB = Metric(psnr, heading="PSNR, RGB, dB", short="PSNR", unit="dB", digits=2)
Y = Metric(psnr_y, heading="PSNR, Y, border cut, dB", short="PSNR of Y", unit="dB", digits=2)
