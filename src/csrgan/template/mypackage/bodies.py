"""A network body: from L to features, and on to the raw picture of which an output function makes S."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from csrgan.networks.generator import Body, Features
from csrgan.ranges import Count, CountOr0


class Residual(Body):
    """Residual blocks at full resolution.

    width: channels. blocks: residual blocks.
    """

    multiple = 1  # the sides of L must be a multiple of so many pixels
    context_features = 0  # columns that it knows of the picture as a whole
    encoder_parts = ("first", "blocks")  # modules that `encode` uses: there the gradients of the losses are compared

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
        """Features that the parameter head reads; nothing is known of the picture as a whole."""
        x = self.first(low)
        for block in self.blocks:
            x = x + block(x)
        return Features(bottleneck=x, skips=(), context=low.new_zeros(len(low), 0))

    def decode(self, features: Features) -> Features:
        return features._replace(decoder=features.bottleneck, image=self.last(torch.relu(features.bottleneck)))
