"""A metric: a number computed from its named arguments: `image`, `sharp`, `low` (1, 3, h, w) in [0,1], `border` in px."""

from __future__ import annotations

from torch import Tensor


def edges(image: Tensor, sharp: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels, divided by that of the sharp picture."""
    restored, true = (picture.diff(dim=2).abs().mean() + picture.diff(dim=3).abs().mean() for picture in (image, sharp))
    return float(restored / true)
