"""Learning-rate schedules: a factor as a pure function of the images seen, so that a resumed training needs no state."""

from __future__ import annotations

import math

from csrgan.ranges import Count, CountOr0, Within


def cosine(images: int, *, total: Count, warmup: CountOr0) -> float:
    """Multiply a linear rise from 0 to 1 over the first `warmup` images by half a cosine that falls to 0 at `total`."""
    rise = min(1.0, (images + 1) / (warmup + 1))
    return rise * 0.5 * (1 + math.cos(math.pi * min(images / total, 1.0)))


def constant(images: int, *, total: int, warmup: int) -> float:
    """Rise linearly from 0 to 1 over the first `warmup` images, then stay at 1."""
    return min(1.0, (images + 1) / (warmup + 1))


def cooldown(images: int, *, total: Count, warmup: CountOr0, last: Within) -> float:
    """Stay constant, then fall like `cosine` over the last share `last` of `total` (Haegele et al. 2024, section 3).

    So the larger crops at the end (`data.final_crop`) begin at the full rate.
    """
    fall = max(1, round(total * last))
    rate = constant(images, total=total, warmup=warmup)
    return rate * cosine(max(0, images - (total - fall)), total=fall, warmup=0)
