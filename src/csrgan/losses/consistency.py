"""Does the restored picture, degraded again as the system says that it was degraded, give the picture that it came from?"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def redegrade(redegraded: Float[Tensor, "b 3 h w"], low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
    """Mean absolute difference of A_theta^(S) and L; both S and theta^ are moved by it. Noise is in L alone."""
    return (redegraded - low).abs().mean()
