"""Consistency: S, degraded again by the predicted parameters, should give L."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def redegrade(redegraded: Float[Tensor, "b 3 h w"], low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
    """Mean absolute difference of A_theta^(S) and L; trains both S and theta^. Only L has noise."""
    return (redegraded - low).abs().mean()
