"""Scores of a picture against the sharp one: of files, arrays (H, W, 3) or (H, W), or tensors (B, 3, H, W); see `csrgan.load`.

Each is `metrics.NAME(image, sharp)`, but `metrics.niqe(image)` needs no sharp picture. It returns one number, for a batch the mean
over its pictures. Pictures are used as they are, in [0,1] and not rounded. `csrgan evaluate` writes the same scores, under the
same names.

>>> import csrgan, numpy as np
>>> sharp = np.full((32, 32, 3), 0.5, np.float32)
>>> round(csrgan.metrics.psnr(sharp + np.float32(0.1), sharp), 2)
20.0
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean

from torch import Tensor

from csrgan import rules
from csrgan.api import own
from csrgan.api.pictures import AnyPicture, opened
from csrgan.errors import raise_faults, require
from csrgan.evaluation import metrics

Score = Callable[[Tensor, Tensor], float]


def psnr(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the peak signal-to-noise ratio over RGB in dB, 10 log10(1 / MSE); higher is better; 100 at most.

    >>> import csrgan
    >>> csrgan.metrics.psnr("photo.png", "photo.png")
    100.0
    """
    return _mean(metrics.psnr, image, sharp)


def ssim(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the structural similarity over RGB, with an 11x11 Gaussian window of std 1.5 (Wang et al. 2004); 1 is equal.

    nan for pictures with a side of 10 px or fewer: the window does not fit.
    """
    return _mean(metrics.ssim, image, sharp)


def psnr_y(image: AnyPicture, sharp: AnyPicture, crop: int = 0) -> float:
    """Return the PSNR in dB of the luma Y of ITU-R BT.601 without `crop` px at each side; papers crop by the scale."""
    return _mean(_of_luma(metrics.psnr, crop), image, sharp)


def ssim_y(image: AnyPicture, sharp: AnyPicture, crop: int = 0) -> float:
    """Return the SSIM of the luma Y of ITU-R BT.601 without `crop` px at each side."""
    return _mean(_of_luma(metrics.ssim, crop), image, sharp)


def ciede2000(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the mean CIEDE2000 colour difference (Sharma et al. 2005); 0 is equal, 1 about just noticeable; lower is better."""
    return _mean(metrics.ciede2000, image, sharp)


def hf_ratio(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the energy of luma above 0.25 cycles/px as a ratio to the sharp picture's: below 1 is smoother, above 1 has detail or
    noise that H lacks; nan if the sharp picture has no such energy."""
    return _mean(metrics.hf_ratio, image, sharp)


def perceptual(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the distance between features of an EfficientNet-Lite0 (see `csrgan.losses.perceptual`); 0 is equal; lower is better.

    Needs the extra `perceptual`; nan without it.
    """
    return _mean(lambda one, other: (metrics.perceptual(one, other) or [math.nan])[0], image, sharp)


def lpips(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return LPIPS 0.1 (Zhang et al. 2018) with AlexNet, the distance that papers report; 0 is equal; lower is better.

    nan for pictures with a side below 31 px. Raises UserError, with the command to install them, if the weights are missing.
    """
    return _mean(_learned("lpips"), image, sharp)


def lpips_vgg(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return LPIPS 0.1 with VGG16; 0 is equal; lower is better. nan for pictures with a side below 16 px. Raises as `lpips`."""
    return _mean(_learned("lpips_vgg"), image, sharp)


def dists(image: AnyPicture, sharp: AnyPicture) -> float:
    """Return DISTS (Ding et al. 2020), which forgives another course of the same texture; 0 is equal; lower is better.

    Pictures keep their size. Raises as `lpips`.
    """
    return _mean(_learned("dists"), image, sharp)


def niqe(image: AnyPicture) -> float:
    """Return NIQE (Mittal et al. 2013), the distance of a picture's statistics to those of undistorted photographs.

    Lower is better; there is no sharp picture. nan for pictures that hold fewer than four blocks of 96 px, as of 192 x 192 px.

    >>> import csrgan
    >>> csrgan.metrics.niqe("photo.png")
    nan
    """
    return fmean(metrics.niqe(one[None]) for one in opened(image, "image").pictures)


def _learned(name: str) -> Score:
    raise_faults(rules.requested_metrics([name], rules.ON_REQUEST, "csrgan.metrics"))
    return lambda image, sharp: metrics.METRICS[name](image=image, sharp=sharp)


def _of_luma(score: Score, crop: int) -> Score:
    require(crop >= 0, f"crop={crop} is below 0.")
    return lambda image, sharp: score(metrics.luma(image, crop), metrics.luma(sharp, crop))


def _mean(score: Score, image: AnyPicture, sharp: AnyPicture) -> float:
    """Return the mean score over the pictures. Raises UserError if the two shapes differ."""
    mine, true = (opened(source, name).pictures for source, name in ((image, "image"), (sharp, "sharp")))
    shapes = f"image is of shape {tuple(mine.shape)} and sharp of {tuple(true.shape)} (B, 3, H, W): only equal shapes compare."
    require(mine.shape == true.shape, shapes)
    return fmean(score(one[None], other[None]) for one, other in zip(mine, true, strict=True))


def __getattr__(name: str) -> Callable[..., float]:
    """A metric of one's own, see `csrgan.evaluation.metrics.Metric`. One that needs no other picture takes `image` alone."""
    own.register_metrics([name])
    if name not in own.OWN:
        raise AttributeError(f"module 'csrgan.metrics' has no attribute {name!r}")
    metric = metrics.METRICS[name]
    if metric.needs == ("image",):
        return lambda image: fmean(metric(image=one[None]) for one in opened(image, "image").pictures)
    more = {"border": 0, "luma_bits": None}
    return lambda image, sharp: _mean(lambda one, other: metric(image=one, sharp=other, low=one, **more), image, sharp)
