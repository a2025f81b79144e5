"""The network of ZSSR, trained on a single picture (Shocher et al. 2018)."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn


class ZSSRNet(nn.Module):
    """Add missing detail to an enlarged picture, predicted by `layers` convolutions; 224,640 parameters for width 64, 8 layers."""

    def __init__(self, *, width: int, layers: int) -> None:
        super().__init__()
        convolutions: list[nn.Module] = []
        for before, after in pairwise([3, *[width] * (layers - 1), 3]):
            convolutions += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU()]
        self.body = nn.Sequential(*convolutions[:-1])

    def forward(self, enlarged: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return enlarged + self.body(enlarged)
