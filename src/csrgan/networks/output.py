"""How the raw output of a generator's last layer becomes a picture S in [0,1]: functions of (raw, L)."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.declared import declares

Picture = Float[Tensor, "b 3 h w"]


def sigmoid(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """S = sigmoid(logit(L) + raw), of checkpoints that were trained with it; `logistic` has taken its place.

    epsilon: L is kept this far from 0 and 1, where the logit is infinite: black and white are out of reach of raw = 0.
    """
    return torch.sigmoid(torch.logit(low, eps=epsilon) + raw)


def logistic(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """S = (sigmoid(logit(a) + raw) - e) / (1 - 2e) with a = e + (1 - 2e) L: raw = 0 is the identity, of black and white too.

    epsilon: e. At L = 0 and 1 the slope dS/draw is e (1 - e) / (1 - 2e), and S may leave [0,1] by e / (1 - 2e).
    """
    inside = epsilon + (1 - 2 * epsilon) * low
    # What lies outside [0,1], such as a filtered L, is cut off a little beyond it, so that the gradient reaches both ends.
    return (torch.sigmoid(torch.logit(inside, eps=epsilon / 2) + raw) - epsilon) / (1 - 2 * epsilon)


@declares(ignores_low=True)
def minmax(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """Each picture stretched to [0,1] by its own least and greatest value."""
    least, greatest = raw.amin(dim=(1, 2, 3), keepdim=True), raw.amax(dim=(1, 2, 3), keepdim=True)
    return (raw - least) / (greatest - least + epsilon)


@declares(ignores_low=True)
def minmax_batch(raw: Picture, low: Picture, *, epsilon: Annotated[float, "(0,0.5)"]) -> Picture:
    """The whole batch stretched to [0,1] by its least and greatest value, as CSRGAN's program does."""
    return (raw - raw.min()) / (raw.max() - raw.min() + epsilon)


@declares(ignores_low=True)
def clamp(raw: Picture, low: Picture) -> Picture:
    """Cut off at 0 and 1."""
    return raw.clamp(0, 1)


@declares(ignores_low=True)
def tanh(raw: Picture, low: Picture) -> Picture:
    """S = (tanh(raw) + 1) / 2."""
    return (torch.tanh(raw) + 1) / 2


def residual(raw: Picture, low: Picture) -> Picture:
    """S = L + raw; not cut off, so that the gradient never dies."""
    return low + raw
