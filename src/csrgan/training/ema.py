"""The exponential moving average of a network's weights, which is evaluated and used in place of the last weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RunningAverage:
    """Lets `average` follow `network`, whose weights and buffers are found once: to walk through all layers takes long."""

    def __init__(self, ema: nn.Module, network: nn.Module) -> None:
        self.mine: list[Tensor] = list(ema.parameters())
        self.theirs: list[Tensor] = list(network.parameters())
        self.buffers = list(zip(ema.buffers(), network.buffers(), strict=True))

    def follow(self, decay: float, batches_seen: int) -> None:
        """Move the average's weights towards the network's; its buffers become the network's.

        decay: share of the average that is kept; less in the first batches, so that it does not remember the beginning for long.
        """
        decay = min(decay, (1 + batches_seen) / (10 + batches_seen))
        with torch.no_grad():
            torch._foreach_lerp_(self.mine, self.theirs, 1 - decay)
            for mine, theirs in self.buffers:
                mine.copy_(theirs)
