"""Independent witnesses of the degradation in float64: SciPy for blur and sharpening, Pillow for resampling and JPEG."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image
from scipy.ndimage import correlate, correlate1d, gaussian_filter

from csrgan.degradation.spec import DegradationSpec

FULL = DegradationSpec()


def gaussian(std: float, size: int | None = None, shift: float = 0.0) -> np.ndarray:
    """Taps of the Gaussian; std is taken as the float32 that the operator is given, because the radius is a step in it."""
    radius = math.ceil(4 * float(np.float32(std))) + math.ceil(shift) if size is None else size // 2
    distance = np.arange(-radius, radius + 1) - shift
    if not std:
        return (np.abs(distance) <= 0.5) / (np.abs(distance) <= 0.5).sum()
    taps = np.exp(-0.5 * (distance / std) ** 2)
    if size is None:
        taps *= np.abs(distance) <= math.ceil(4 * float(np.float32(std)))
    return taps / taps.sum()


def blur(picture: np.ndarray, std: float, size: int | None = None, shift: float = 0.0) -> np.ndarray:
    """Gaussian blur of (c, h, w) by SciPy, mirror border without repeating the edge."""
    taps = gaussian(std, size, shift)
    for axis in (1, 2):
        if picture.shape[axis] > 1:
            picture = correlate1d(picture, taps, axis=axis, mode="mirror")
    return picture


def blur_by(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlation of (c, h, w) with a kernel by SciPy."""
    return np.stack([correlate(channel, kernel, mode="mirror") for channel in picture])


PILLOW = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR, "area": Image.Resampling.BOX}


def resized(picture: np.ndarray, height: int, width: int, kind: str = "bicubic") -> np.ndarray:
    """Resize (c, h, w) by Pillow in float32, one channel at a time, or as MATLAB does."""
    if kind == "matlab":
        return imresize(picture, height, width)
    channels = [Image.fromarray(channel.astype(np.float32)).resize((width, height), PILLOW[kind]) for channel in picture]
    return np.stack([np.asarray(channel, np.float64) for channel in channels])


def sharpened(picture: np.ndarray, amount: float, std: float) -> np.ndarray:
    """Unsharp masking of (c, h, w) by SciPy, clipped."""
    smooth = gaussian_filter(picture, (0, std, std), mode="mirror", radius=math.ceil(4 * std))
    return (picture + amount * (picture - smooth)).clip(0, 1)


def chain(
    picture: np.ndarray,
    std: float,
    scale: float,
    constants: DegradationSpec = FULL,
    kernel: np.ndarray | None = None,
    quality: int = 100,
) -> np.ndarray:
    """The noise-free chain of (c, h, w). quality: of the small picture as JPEG; 100: it is none."""
    height, width = picture.shape[1:]
    direct = constants.downsampling == "direct"
    if kernel is not None:
        low = blur_by(picture, kernel)
    else:
        low = blur(picture, std, constants.kernel_size, (scale - 1) / 2 if direct else 0.0)
    few = round(height / scale), round(width / scale)
    every = low[:, :: round(scale), :: round(scale)][:, : few[0], : few[1]]
    low = every if direct else resized(low, *few, constants.downsampling)
    low = low if quality == 100 else through_jpeg(low, quality)
    return (low if constants.output == "native" else resized(low, height, width)).clip(0, 1)


def through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """Return a picture, (3, h, w) in [0,1], as Pillow reads it back from a JPEG file."""
    file = io.BytesIO()
    Image.fromarray((picture.clip(0, 1).transpose(1, 2, 0) * 255).round().astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB")).transpose(2, 0, 1) / 255


def imresize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """MATLAB's imresize of (c, h, w), bicubic and antialiased, after its documented steps: positions count from 1, the kernel is as
    wide as the shrinking needs, each pixel's weights sum to 1, and what lies outside is the mirror image with the edge repeated."""
    down, across = (_contributions(*sizes) for sizes in zip(picture.shape[1:], (height, width), strict=True))
    return np.einsum("ij,cjk,lk->cil", down, picture, across)


def _contributions(many: int, few: int) -> np.ndarray:
    scale = few / many
    width = 4 / min(scale, 1)
    middle = np.arange(1, few + 1) / scale + 0.5 * (1 - 1 / scale)
    taps = np.floor(middle - width / 2)[:, None] + np.arange(math.ceil(width) + 2)
    distance = np.abs(min(scale, 1) * (middle[:, None] - taps))
    near, far = (1.5 * distance - 2.5) * distance**2 + 1, ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance <= 1, near, np.where(distance <= 2, far, 0))
    weights /= weights.sum(axis=1, keepdims=True)
    pixels = np.concatenate([np.arange(many), np.arange(many)[::-1]])[(taps.astype(int) - 1) % (2 * many)]
    matrix = np.zeros((few, many))
    np.add.at(matrix, (np.arange(few)[:, None], pixels), weights)
    return matrix
