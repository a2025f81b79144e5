"""Luma, on which the field reports its scores."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def luma(image: Float[Tensor, "b 3 h w"], crop: int) -> Float[Tensor, "b 1 h2 w2"]:
    """Return Y of ITU-R BT.601 in studio range, (16 + 65.481 R + 128.553 G + 24.966 B) / 255, without `crop` pixels a side."""
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    y = (image * weights).sum(dim=1, keepdim=True) / 255 + 16 / 255
    height, width = y.shape[-2:]
    return y[..., crop : height - crop, crop : width - crop]
