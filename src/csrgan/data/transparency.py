"""What a picture shows a network under its transparent pixels, where its file may hold anything."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray

# Opacity below which colours are uncertain: of pixels that were stored multiplied by it, in 8 bits, they keep four bits or fewer.
FAINT = 1 / 16


def faint(alpha: UInt[np.ndarray, "h w"] | None) -> bool:
    """Whether there are pixels that can hardly be seen, or not at all."""
    return alpha is not None and int(alpha.min()) < FAINT * np.iinfo(alpha.dtype).max


def opaque(pixels: UInt[np.ndarray, "h w 3"], alpha: UInt[np.ndarray, "h w"]) -> UInt[np.ndarray, "h w 3"]:
    """The pixels, in which those less than FAINT opaque give way to the colours around them, and those of alpha 0 altogether.

    pixels: (height, width, 3) uint8 or uint16; alpha: (height, width) of the same type. Nothing of the result depends on what
    colour a pixel of alpha 0 had. Where no pixel can be seen all become black.
    """
    full = np.float32(np.iinfo(alpha.dtype).max)
    levels = np.arange(int(full) + 1, dtype=np.float32)
    own = np.minimum(levels / full / np.float32(FAINT), 1)  # of each level of alpha, its share in what is shown
    weight = (own * levels / full)[alpha]
    place = own[alpha] < 1
    rest = _smooth(*_halved(pixels * weight[:, :, None], weight))
    rest = cv2.resize(rest, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(pixels.shape)[place]
    kept, share = pixels[place], own[alpha[place]][:, None]
    around = weight[place][:, None] * kept + (1 - weight[place][:, None]) * rest
    found = pixels.copy()
    found[place] = (share * kept + (1 - share) * around).round().astype(pixels.dtype)
    return found


def _smooth(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours for every place from those around it, multiplied by their weights: push-pull (Gortler et al. 1996, section 3.4).

    A picture is halved until a single pixel is left; back up the pyramid, what weighs little is taken from the level above.
    """
    if max(weight.shape) == 1:
        return colours
    above = cv2.resize(_smooth(*_halved(colours, weight)), weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    result: NDArray[np.float32] = colours + (1 - weight[:, :, None]) * above.reshape(colours.shape)
    return result


def _halved(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One pixel of each four, and its weight, which is whole where one of them is seen."""
    height, width = (-(-side // 2) for side in weight.shape)
    less: np.ndarray = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width)
    gain: np.ndarray = np.minimum(4, 1 / np.maximum(less, np.float32(1e-9)))
    fewer: np.ndarray = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 3)
    return fewer * gain[:, :, None], less * gain
