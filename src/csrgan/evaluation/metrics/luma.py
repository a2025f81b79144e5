"""Luma, on which the field reports its scores."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.operator import rounded


def luma(image: Float[Tensor, "b 3 h w"], crop: int, bits: int | None = None) -> Float[Tensor, "b 1 h2 w2"]:
    """Return Y of ITU-R BT.601 in studio range, (16 + 65.481 R + 128.553 G + 24.966 B) / 255, without `crop` pixels a side.

    bits: to which it is rounded; MATLAB's rgb2ycbcr rounds that of an 8-bit picture to 8. None: it is not rounded.
    """
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    y = (image * weights).sum(dim=1, keepdim=True) / 255 + 16 / 255
    height, width = y.shape[-2:]
    y = rounded(y, bits)
    return y[..., crop : height - crop, crop : width - crop]
