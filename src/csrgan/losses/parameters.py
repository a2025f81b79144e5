"""Distances between the predicted and the true degradation, both in network units ([0,1] over the prior)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from csrgan.declared import declares
from csrgan.losses.objective import Term
from csrgan.ranges import CountOr0, NotNegative, Share

Theta = Float[Tensor, "b p"]
Scalar = Float[Tensor, ""]


class ParameterTerm(Term):
    """A term on the predicted degradation. variance: whether the parameter head also predicts a variance."""

    kept_on_resume = ("variance",)

    def __init__(
        self, function: Term.Function, weight: NotNegative = 1.0, variance: bool = False, start: CountOr0 = 0, ramp: CountOr0 = 0
    ) -> None:
        super().__init__(function, weight, start, ramp)
        self.variance = variance


def mse(theta: Theta, theta_true: Theta) -> Scalar:
    """Mean squared error; for a uniform parameter, always predicting the prior's mean costs 1/12."""
    return (theta - theta_true).square().mean()


def l1(theta: Theta, theta_true: Theta) -> Scalar:
    """Mean absolute error; for a uniform parameter, always predicting the prior's mean costs 1/4."""
    return (theta - theta_true).abs().mean()


def nll(theta: Theta, log_variance: Theta, theta_true: Theta, *, beta: Share) -> Scalar:
    """Negative log-likelihood of a Gaussian with predicted mean and variance, up to a constant:
    mean of v^beta ((theta - theta_true)^2 / v + log v) / 2 (Nix and Weigend 1994, eq. 6), where v^beta is a weight without a
    gradient (Seitzer et al. 2022): at beta 0 a picture with a certain theta outweighs the others by 1/v, at beta 1 the means are
    learned as with `mse`. Normally below 0, for a density may exceed 1: at beta 0 it falls as predictions improve, at beta 0.5 it
    comes back to 0 from -0.22 where v < exp(-3). The generator bounds v from below, so no picture can outweigh the others without
    limit.
    """
    terms = (theta - theta_true).square() * (-log_variance).exp() + log_variance
    return 0.5 * ((beta * log_variance.detach()).exp() * terms).mean()


@declares(least_batch=2)
def shuffled(theta: Theta, theta_true: Theta) -> Scalar:
    """A control: mean squared error against the degradation of the next picture in the batch, which L does not reveal. On the
    shared weights its gradients are as large as those of `mse`, but carry no information."""
    return mse(theta, theta_true.roll(1, 0))
