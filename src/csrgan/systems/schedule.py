"""Learning-rate schedules: a factor as a pure function of the images seen, so that resuming needs no state."""

from __future__ import annotations

import math


def cosine(images: int, *, total: int, warmup: int) -> float:
    """Linear from 0 to 1 over the first `warmup` images, times half a cosine that falls to 0 at `total`."""
    rise = min(1.0, (images + 1) / (warmup + 1))
    return rise * 0.5 * (1 + math.cos(math.pi * min(images / total, 1.0)))


def constant(images: int, *, total: int, warmup: int) -> float:
    """Linear from 0 to 1 over the first `warmup` images, then 1."""
    return min(1.0, (images + 1) / (warmup + 1))
