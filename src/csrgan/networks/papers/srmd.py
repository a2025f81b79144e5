"""The network of SRMD, conditioned on the degradation (Zhang et al. 2018, fig. 3)."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.kernel_pca import maps
from csrgan.networks.papers.stem_upsample import Stem
from csrgan.ranges import Count


class SRMDNet(nn.Module):
    """A plain stack of convolutions on L and the code as maps, with a sub-pixel convolution at the end.

    code: length of a code. enlarge, unshuffle, skip: see `SRResNet`. width: channels. layers: convolutions.
    1,511,692, 1,528,987 and 1,553,200 parameters for x2, x3 and x4, width 128, 12 layers and a code of 15 + 1 numbers.
    """

    def __init__(self, *, enlarge: int, code: int, width: Count, layers: Count, unshuffle: Count, skip: bool) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle, skip)
        sizes = [self.stem.channels + code, *[width] * (layers - 1), 3 * self.stem.factor**2]
        convolutions: list[nn.Module] = []
        for before, after in pairwise(sizes):
            convolutions += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.body = nn.Sequential(*convolutions[:-1], nn.PixelShuffle(self.stem.factor))

    def forward(self, low: Float[Tensor, "b 3 h w"], code: Float[Tensor, "b p"]) -> Float[Tensor, "b 3 h2 w2"]:
        x = self.stem(low)
        image: Tensor = self.body(torch.cat([x, maps(code, *x.shape[-2:])], dim=1))
        return self.stem.picture(image, low)
