"""L itself, enlarged: the baseline that every restorer must beat."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.augmentation import Degradation
from csrgan.networks import portable
from csrgan.records import Restoration
from csrgan.restorers.restorer import Restorer


class Bicubic(Restorer):
    """S = L, enlarged bicubically where it is smaller than H. Learns nothing and predicts nothing."""

    outputs = ("upsampled", "native")

    def __init__(self, *, degradation: Degradation | None = None) -> None:
        super().__init__(degradation or Degradation())

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        return Restoration(enlarged(low, self.enlarge))


def enlarged(low: Float[Tensor, "b 3 h w"], factor: int) -> Float[Tensor, "b 3 h2 w2"]:
    """Enlarge L `factor` times, bicubically."""
    if factor == 1:
        return low
    if torch.onnx.is_in_onnx_export():
        return portable.enlarged(low, factor).clamp(0, 1)
    image: Tensor = interpolate(low, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)
    return image
