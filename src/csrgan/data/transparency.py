"""What a picture shows a network under its transparent pixels, where its file may hold anything."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Opacity below which colours are uncertain: of pixels that were stored multiplied by it, in 8 bits, they keep four bits or fewer.
FAINT = 1 / 16


def faint(alpha: NDArray[Any] | None) -> bool:
    """Whether there are pixels that can hardly be seen, or not at all."""
    return alpha is not None and int(alpha.min()) < FAINT * np.iinfo(alpha.dtype).max


def opaque(pixels: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """The pixels, in which those less than FAINT opaque give way to the colours around them, and those of alpha 0 altogether.

    pixels: (height, width, 3) uint8 or uint16; alpha: (height, width) of the same type. Nothing of the result depends on what
    colour a pixel of alpha 0 had. Where no pixel can be seen all become black.
    """
    opacity = (alpha / np.float32(np.iinfo(alpha.dtype).max)).astype(np.float32)[:, :, None]
    own = np.minimum(opacity / np.float32(FAINT), 1)
    mixed = own * pixels + (1 - own) * _around(pixels, own * opacity)
    return np.where(own == 1, pixels, mixed.round().astype(pixels.dtype))


def _around(pixels: NDArray[Any], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth colours for every place, from the pixels around it by their weight: push-pull (Gortler et al. 1996, section 3.4).

    Pictures are halved until a single pixel is left; back up the pyramid, what weighs little is taken from the level above.
    """
    levels: list[NDArray[Any]] = [np.concatenate([pixels * weight, weight], axis=2, dtype=np.float32)]
    while max(levels[-1].shape[:2]) > 1:
        height, width = (-(-side // 2) for side in levels[-1].shape[:2])
        halved = cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 4)
        levels.append(halved * np.minimum(4, 1 / np.maximum(halved[:, :, 3:], 1e-9)))  # one pixel of four that is seen is enough
    colours = np.zeros((1, 1, 3), np.float32)
    for level in reversed(levels):
        larger = cv2.resize(colours, level.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(*level.shape[:2], 3)
        colours = level[:, :, :3] + (1 - level[:, :, 3:]) * larger
    return colours
