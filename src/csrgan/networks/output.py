"""How the raw output of a generator's last layer becomes a picture S in [0,1]: functions of (raw, L)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Picture = Float[Tensor, "b 3 h w"]


def sigmoid(raw: Picture, low: Picture, *, epsilon: float) -> Picture:
    """S = sigmoid(logit(L) + raw): raw = 0 is the identity, and S never leaves (0,1).

    epsilon: L is kept this far from 0 and 1, where the logit is infinite.
    """
    return torch.sigmoid(torch.logit(low, eps=epsilon) + raw)


def minmax(raw: Picture, low: Picture, *, epsilon: float) -> Picture:
    """Each picture stretched to [0,1] by its own least and greatest value."""
    least, greatest = raw.amin(dim=(1, 2, 3), keepdim=True), raw.amax(dim=(1, 2, 3), keepdim=True)
    return (raw - least) / (greatest - least + epsilon)


def minmax_batch(raw: Picture, low: Picture, *, epsilon: float) -> Picture:
    """The whole batch stretched to [0,1] by its least and greatest value, as CSRGAN's program does."""
    return (raw - raw.min()) / (raw.max() - raw.min() + epsilon)


def clamp(raw: Picture, low: Picture) -> Picture:
    """Cut off at 0 and 1."""
    return raw.clamp(0, 1)


def tanh(raw: Picture, low: Picture) -> Picture:
    """S = (tanh(raw) + 1) / 2."""
    return (torch.tanh(raw) + 1) / 2


def residual(raw: Picture, low: Picture) -> Picture:
    """S = L + raw; not cut off, so that the gradient never dies."""
    return low + raw
