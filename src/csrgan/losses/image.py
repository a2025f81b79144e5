"""Distances between the restored and the sharp picture: the arguments before the star are measured, those after it configured."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from csrgan.ranges import Within

Picture = Float[Tensor, "b 3 h w"]
Scalar = Float[Tensor, ""]


def mse(restored: Picture, sharp: Picture) -> Scalar:
    """Mean squared error; minimised by the mean of all plausible pictures, which is smooth."""
    return (restored - sharp).square().mean()


def l1(restored: Picture, sharp: Picture) -> Scalar:
    """Mean absolute error."""
    return (restored - sharp).abs().mean()


def charbonnier(restored: Picture, sharp: Picture, *, epsilon: Within) -> Scalar:
    """L1, smooth at zero: mean of sqrt(d^2 + epsilon^2) (Charbonnier et al. 1994)."""
    return ((restored - sharp).square() + epsilon**2).sqrt().mean()
