"""Torch's random generators."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def forked(device: torch.device) -> AbstractContextManager[None]:
    """Return a context after which the generators of the CPU and of this device are as before. By default, torch would do so for
    every GPU of the machine, and take memory on each."""
    context: AbstractContextManager[None] = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    return context
