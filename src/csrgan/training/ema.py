"""The exponential moving average of a network's weights, which is evaluated and used in place of the last weights."""

from __future__ import annotations

import torch
from torch import nn


def follow(average: nn.Module, network: nn.Module, decay: float, batches_seen: int) -> None:
    """Move the average's weights towards the network's; its buffers become the network's.

    decay: share of the average that is kept; in the first batches less, so that it does not remember the beginning for long.
    """
    decay = min(decay, (1 + batches_seen) / (10 + batches_seen))
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
        for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
