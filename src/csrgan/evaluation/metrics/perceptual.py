"""Perceptual distance: how far apart two pictures are in the features of an image classifier."""

from __future__ import annotations

import math
from functools import lru_cache

import torch

from csrgan.evaluation.metrics.metric import FeatureMetric, One, Picture
from csrgan.losses import backbones
from csrgan.losses.perceptual import FeatureDistance


def perceptual(images: Picture, sharp: One) -> list[float]:
    """Return the distance of each picture to the sharp one, see `FeatureDistance`; lower is better. Empty if its weights are not
    installed."""
    if not backbones.installed():
        return []
    with torch.no_grad():
        return [float(value) for value in _features().each(images, sharp)]


@lru_cache(maxsize=1)
def _features() -> FeatureDistance:
    return FeatureDistance(backbone=backbones.efficientnet_lite0, layers=(0, 2, 4, 10))


FEATURES = FeatureMetric(perceptual, heading="perceptual distance (0 best)", short="perceptual distance", digits=4, best=-math.inf)
