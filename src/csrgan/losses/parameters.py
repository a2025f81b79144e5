"""Distances between the predicted and the true degradation, both in network units ([0,1] over the prior)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

Theta = Float[Tensor, "b p"]


def mse(theta: Theta, theta_true: Theta) -> Float[Tensor, ""]:
    """Mean squared error; always answering the prior's mean costs 1/12 on a uniform parameter."""
    return (theta - theta_true).square().mean()
