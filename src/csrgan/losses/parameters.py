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
    """A term on the predicted degradation. variance: whether the parameter head is to predict a variance as well."""

    kept_on_resume = ("variance",)

    def __init__(
        self, function: Term.Function, weight: NotNegative = 1.0, variance: bool = False, start: CountOr0 = 0, ramp: CountOr0 = 0
    ) -> None:
        super().__init__(function, weight, start, ramp)
        self.variance = variance


def mse(theta: Theta, theta_true: Theta) -> Scalar:
    """Mean squared error; always answering the prior's mean costs 1/12 on a uniform parameter."""
    return (theta - theta_true).square().mean()


def l1(theta: Theta, theta_true: Theta) -> Scalar:
    """Mean absolute error; always answering the prior's mean costs 1/4 on a uniform parameter."""
    return (theta - theta_true).abs().mean()


def nll(theta: Theta, log_variance: Theta, theta_true: Theta, *, beta: Share) -> Scalar:
    """Negative log-likelihood of a Gaussian with predicted mean and variance, up to a constant:
    mean of v^beta ((theta - theta_true)^2 / v + log v) / 2 (Nix and Weigend 1994, eq. 6), where v^beta is a weight without a
    gradient (Seitzer et al. 2022): at beta 0 a picture whose theta is well known outweighs the others by 1/v, at 1 all means
    are learnt as by `mse`. The generator keeps v above a least value, so that no single picture outweighs the others without bound.
    """
    each = (theta - theta_true).square() * (-log_variance).exp() + log_variance
    return 0.5 * ((beta * log_variance.detach()).exp() * each).mean()


@declares(least_batch=2)
def shuffled(theta: Theta, theta_true: Theta) -> Scalar:
    """A control: mean squared error against the degradation of the next picture of the batch, which cannot be known. It pulls
    on the shared weights as hard as `mse` does, and tells them nothing."""
    return mse(theta, theta_true.roll(1, 0))
