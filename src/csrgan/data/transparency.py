"""What a network sees in place of transparent pixels, where a file may hold any colour."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray

# Opacity below which colours are uncertain: if they were stored multiplied by it, in 8 bits, they keep four bits or fewer.
FAINT = 1 / 16


def has_faint(alpha: UInt[np.ndarray, "h w"] | None) -> bool:
    """Whether any pixel is less than FAINT opaque."""
    return alpha is not None and int(alpha.min()) < FAINT * np.iinfo(alpha.dtype).max


def fill_faint(pixels: UInt[np.ndarray, "h w 3"], alpha: UInt[np.ndarray, "h w"]) -> UInt[np.ndarray, "h w 3"]:
    """Blend pixels that are less than FAINT opaque into the colours around them; replace those of alpha 0 completely.

    pixels: (height, width, 3) uint8 or uint16; alpha: (height, width) of the same type. The result does not depend on the colour of
    pixels of alpha 0. If no pixel is visible, all become black.
    """
    full_scale = np.float32(np.iinfo(alpha.dtype).max)
    levels = np.arange(int(full_scale) + 1, dtype=np.float32)
    own_shares = np.minimum(levels / full_scale / np.float32(FAINT), 1)  # how much of its own colour a pixel keeps
    weight = (own_shares * levels / full_scale)[alpha]
    mask = own_shares[alpha] < 1
    fill = _push_pull(*_halve(pixels * weight[:, :, None], weight))
    fill = cv2.resize(fill, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(pixels.shape)[mask]
    own, share = pixels[mask], own_shares[alpha[mask]][:, None]
    around = weight[mask][:, None] * own + (1 - weight[mask][:, None]) * fill
    result = pixels.copy()
    result[mask] = (share * own + (1 - share) * around).round().astype(pixels.dtype)
    return result


def _push_pull(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill every pixel from those around it: push-pull (Gortler et al. 1996, section 3.4). colours: multiplied by `weight`.

    The picture is halved until one pixel is left; back up the pyramid, pixels of little weight take the coarser level's colour.
    """
    if max(weight.shape) == 1:
        return colours
    coarser = cv2.resize(_push_pull(*_halve(colours, weight)), weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    result: NDArray[np.float32] = colours + (1 - weight[:, :, None]) * coarser.reshape(colours.shape)
    return result


def _halve(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make one pixel of every four; its weight is 1 if one of them has weight 1."""
    height, width = (-(-side // 2) for side in weight.shape)
    mean_weight: np.ndarray = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width)
    gain: np.ndarray = np.minimum(4, 1 / np.maximum(mean_weight, np.float32(1e-9)))
    mean: np.ndarray = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 3)
    return mean * gain[:, :, None], mean_weight * gain
