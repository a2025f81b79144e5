"""Scores of a restored picture against the sharp one, or by itself. Pictures are used as they are: clipped to [0,1], not rounded.

Two conventions: RGB over the whole picture (CSRGAN's authors'), and luma Y with `border` pixels cut off each side (the field's).
A metric is a file here, or a function of your own with a yaml in a folder conf/metric: see `Metric`.
"""

from __future__ import annotations

from collections.abc import Collection

from csrgan import rules
from csrgan.errors import raise_faults
from csrgan.evaluation.metrics import ciede2000 as _ciede2000
from csrgan.evaluation.metrics import dists as _dists
from csrgan.evaluation.metrics import hf_ratio as _hf_ratio
from csrgan.evaluation.metrics import lpips as _lpips
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
    "computed",
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

# In the order of their columns; `register` adds your own. Those of `rules.ON_REQUEST` are computed for the asking only.
METRICS: dict[str, Metric] = {
    "psnr": _psnr.RGB,
    "ssim": _ssim.RGB,
    "psnr_y": _psnr.Y,
    "ssim_y": _ssim.Y,
    "perceptual": _perceptual.FEATURES,
    "ciede2000": _ciede2000.COLOUR,
    "hf_ratio": _hf_ratio.DETAIL,
    "niqe": _niqe.NATURALNESS,
    "lpips": _lpips.ALEX,
    "lpips_vgg": _lpips.VGG,
    "dists": _dists.STRUCTURE,
}


def register(name: str, metric: Metric) -> None:
    """Add a metric to every evaluation from now on, as the columns NAME_low and NAME_restored."""
    metric.name = name
    METRICS[name] = metric


def computed(asked: Collection[str] = ()) -> list[str]:
    """Return the names of the metrics that an evaluation computes. Raises UserError for one that it cannot compute."""
    raise_faults(rules.requested_metrics(asked, METRICS))
    return [name for name in METRICS if name not in rules.ON_REQUEST or name in asked]
