"""Scores of a restored picture against the sharp one, or by itself. Pictures are used as they are: clipped to [0,1], not rounded.

Two conventions: RGB over the whole picture (CSRGAN's authors'), and luma Y with `border` pixels cut off each side (the field's).
A metric is a file here, or a function of your own with a yaml in a folder conf/metric: see `Metric`.
"""

from __future__ import annotations

from csrgan.evaluation.metrics import ciede2000 as _ciede2000
from csrgan.evaluation.metrics import hf_ratio as _hf_ratio
from csrgan.evaluation.metrics import niqe as _niqe
from csrgan.evaluation.metrics import perceptual as _perceptual
from csrgan.evaluation.metrics import psnr as _psnr
from csrgan.evaluation.metrics import ssim as _ssim
from csrgan.evaluation.metrics.ciede2000 import ciede2000
from csrgan.evaluation.metrics.colours import COLOURS, channel_statistics
from csrgan.evaluation.metrics.hf_ratio import hf_ratio
from csrgan.evaluation.metrics.luma import luma
from csrgan.evaluation.metrics.metric import Metric, Picture
from csrgan.evaluation.metrics.niqe import niqe
from csrgan.evaluation.metrics.perceptual import perceptual
from csrgan.evaluation.metrics.psnr import psnr, psnr_y
from csrgan.evaluation.metrics.ssim import ssim, ssim_y

__all__ = [
    "COLOURS",
    "METRICS",
    "Metric",
    "Picture",
    "channel_statistics",
    "ciede2000",
    "hf_ratio",
    "luma",
    "niqe",
    "perceptual",
    "psnr",
    "psnr_y",
    "register",
    "ssim",
    "ssim_y",
]

# What every evaluation scores, in the order of its columns; `register` adds your own.
METRICS: dict[str, Metric] = {
    "psnr": _psnr.RGB,
    "ssim": _ssim.RGB,
    "psnr_y": _psnr.Y,
    "ssim_y": _ssim.Y,
    "perceptual": _perceptual.FEATURES,
    "ciede2000": _ciede2000.COLOUR,
    "hf_ratio": _hf_ratio.DETAIL,
    "niqe": _niqe.NATURALNESS,
}


def register(name: str, metric: Metric) -> None:
    """Add a metric to every evaluation from now on, as the columns NAME_low and NAME_restored."""
    METRICS[name] = metric
