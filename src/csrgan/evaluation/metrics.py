"""Scores of a restored picture against the sharp one. Pictures are used as they are: clipped to [0,1], not rounded.

Two conventions: RGB over the whole picture (CSRGAN's authors'), and luma Y with `crop` pixels cut off each side (the field's).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

Picture = Float[Tensor, "b c h w"]


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
