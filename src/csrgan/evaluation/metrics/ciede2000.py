"""Perceptual colour difference."""

from __future__ import annotations

import math

from csrgan.evaluation import colour
from csrgan.evaluation.metrics.metric import Metric, Picture


def ciede2000(image: Picture, sharp: Picture) -> float:
    """Return the mean CIEDE2000 colour difference over the pixels; 0 is equal, 1 about just noticeable; lower is better."""
    return float(colour.ciede2000(image, sharp).mean())


COLOUR = Metric(ciede2000, heading="colour error, CIEDE2000 (0 best)", short="CIEDE2000", digits=2, best=-math.inf)
