"""A network body: from L to features and on to the raw picture, which an output function turns into S."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from csrgan.networks.generator import Body, Features
from csrgan.ranges import Count, CountOr0


class Residual(Body):
    """Residual blocks at full resolution.

    width: channels. blocks: residual blocks.
    """

    multiple = 1  # px: the sides of L must be multiples of this; csrgan pads L
    context_features = 0  # columns of `Features.context`, global features of the picture
    encoder_parts = ("first", "blocks")  # modules that `encode` uses; csrgan compares the gradients of the losses on their weights

    def __init__(self, *, width: Count = 32, blocks: CountOr0 = 4) -> None:
        super().__init__()
        self.bottleneck_channels = self.decoder_channels = width
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(blocks)
        )
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(self.last.weight)  # training starts at S = L

    def encode(self, low: Tensor) -> Features:
        """Return the features that the parameter head reads; this body has no global features."""
        x = self.first(low)
        for block in self.blocks:
            x = x + block(x)
        return Features(bottleneck=x, skips=(), context=low.new_zeros(len(low), 0))

    def decode(self, features: Features) -> Features:
        """Add the last features and the raw picture."""
        return features._replace(decoder=features.bottleneck, image=self.last(torch.relu(features.bottleneck)))
