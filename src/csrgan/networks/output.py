"""Output functions: turn the raw output of a generator's last layer and L into a picture S in [0,1], or near it, as each says.

S is clipped where it is scored or kept (`restorer.finite_image`), but not in training, where clipped pixels would have no gradient.
Each may declare `ignores_low`, that it does not use L, and `pointwise`, that a pixel of S depends on that pixel alone.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.declared import declares

Picture = Float[Tensor, "b 3 h w"]


@declares(pointwise=True)
def sigmoid(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """S = sigmoid(logit(L) + raw), for old checkpoints; `logistic` replaces it.

    epsilon: L is clamped to [epsilon, 1 - epsilon], since the logit is infinite at 0 and 1: raw = 0 changes black and white.
    """
    return torch.sigmoid(torch.logit(low, eps=epsilon) + raw)


@declares(pointwise=True)
def logistic(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """S = (sigmoid(logit(a) + raw) - e) / (1 - 2e) with a = e + (1 - 2e) L: raw = 0 is the identity, also for black and white.

    epsilon: e. At L = 0 and 1 the slope dS/draw is e (1 - e) / (1 - 2e), and S may leave [0,1] by e / (1 - 2e).
    """
    inside = epsilon + (1 - 2 * epsilon) * low
    # A filtered L may leave [0,1]; it is clamped slightly beyond that, so that the gradient does not vanish at 0 and 1.
    return (torch.sigmoid(torch.logit(inside, eps=epsilon / 2) + raw) - epsilon) / (1 - 2 * epsilon)


@declares(ignores_low=True)
def minmax(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """Stretch each picture to [0,1] by its minimum and maximum."""
    minimum, maximum = raw.amin(dim=(1, 2, 3), keepdim=True), raw.amax(dim=(1, 2, 3), keepdim=True)
    return (raw - minimum) / (maximum - minimum + epsilon)


@declares(ignores_low=True)
def minmax_batch(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """Stretch the whole batch to [0,1] by its minimum and maximum, as CSRGAN's program does."""
    return (raw - raw.min()) / (raw.max() - raw.min() + epsilon)


@declares(ignores_low=True, pointwise=True)
def clamp(raw: Picture, low: Picture) -> Picture:
    """Clamp to [0,1]."""
    return raw.clamp(0, 1)


@declares(ignores_low=True, pointwise=True)
def tanh(raw: Picture, low: Picture) -> Picture:
    """S = (tanh(raw) + 1) / 2."""
    return (torch.tanh(raw) + 1) / 2


@declares(pointwise=True)
def residual(raw: Picture, low: Picture) -> Picture:
    """S = L + raw; not clamped, so that the gradient never vanishes."""
    return low + raw
