"""A metric: a number of what its arguments name: `image`, `sharp`, `low` (1, 3, h, w) in [0,1], `border` in px."""

from __future__ import annotations

from torch import Tensor


def edges(image: Tensor, sharp: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels, as a ratio to the sharp picture's."""
    mine, true = (each.diff(dim=2).abs().mean() + each.diff(dim=3).abs().mean() for each in (image, sharp))
    return float(mine / true)
