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


def log_mse(restored: Picture, sharp: Picture, *, epsilon: Within) -> Scalar:
    """Mean over the pictures of log(1 + MSE / epsilon^2): minus the PSNR but for a factor and a constant, so that a decibel counts
    the same in a picture that is hardly degraded and in a ruined one (the loss of NAFNet, Chen et al. 2022)."""
    errors = (restored - sharp).square().flatten(1).mean(dim=1)
    return (errors / epsilon**2).log1p().mean()
