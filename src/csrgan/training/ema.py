"""The exponential moving average of a network's weights, which is evaluated and used in place of the last weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RunningAverage:
    """Moves `ema` towards `network`. Lists their weights and buffers once, for a walk through all layers takes long."""

    def __init__(self, ema: nn.Module, network: nn.Module) -> None:
        self.averaged: list[Tensor] = list(ema.parameters())
        self.weights: list[Tensor] = list(network.parameters())
        self.buffers = list(zip(ema.buffers(), network.buffers(), strict=True))

    def follow(self, decay: float, batches_seen: int) -> None:
        """Move the average's weights towards the network's, and copy the network's buffers.

        decay: share of the average that is kept; less in the first batches, so that the initial weights are soon forgotten.
        """
        decay = min(decay, (1 + batches_seen) / (10 + batches_seen))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, self.weights, 1 - decay)
            for averaged, buffer in self.buffers:
                averaged.copy_(buffer)
