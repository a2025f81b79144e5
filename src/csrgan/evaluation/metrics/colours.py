"""Brightness and contrast of each colour channel."""

from __future__ import annotations

import math

from csrgan.evaluation.metrics.metric import Picture

COLOURS = ("red", "green", "blue")


def channel_statistics(image: Picture, sharp: Picture) -> dict[str, float]:
    """Return two numbers for each colour channel.

    `shift_COLOUR`: mean of the picture minus mean of the sharp one, fraction of full scale; ideally 0.
    `contrast_COLOUR`: ratio of their standard deviations; ideally 1, nan if the sharp channel is constant.
    """
    result = {}
    for index, name in enumerate(COLOURS):
        mine, true = image[:, index].double(), sharp[:, index].double()
        deviation = float(true.std(correction=0))
        result[f"shift_{name}"] = float(mine.mean() - true.mean())
        result[f"contrast_{name}"] = float(mine.std(correction=0)) / deviation if deviation else math.nan
    return result
