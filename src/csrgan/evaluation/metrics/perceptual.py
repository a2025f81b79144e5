"""Perceptual distance: how far apart two pictures are in the features of an image classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.evaluation.metrics.metric import Metric, Picture
from csrgan.losses import backbones
from csrgan.losses.perceptual import FeatureDistance


def perceptual(images: Picture, sharp: Float[Tensor, "1 c h w"]) -> list[float]:
    """Return the distance of each picture to the sharp one, see `FeatureDistance`; lower is better. Empty if its weights are not
    installed."""
    if not backbones.installed():
        return []
    with torch.no_grad():
        return [float(value) for value in _features().each(images, sharp)]


def distance(image: Picture, sharp: Picture) -> float:
    """Return the distance of one picture to the sharp one; nan if the weights are not installed."""
    return (perceptual(image, sharp) or [math.nan])[0]


@lru_cache(maxsize=1)
def _features() -> FeatureDistance:
    return FeatureDistance(backbone=backbones.efficientnet_lite0, layers=(0, 2, 4, 10))


class FeatureMetric(Metric):
    """Scores pictures together, to compute the features of the sharp picture once."""

    together = True

    def each(self, images: Sequence[Picture], **evidence: object) -> list[float]:
        sharp = evidence["sharp"]
        assert isinstance(sharp, Tensor)
        return perceptual(torch.cat(list(images)), sharp)


FEATURES = FeatureMetric(distance, heading="perceptual distance (0 best)", short="perceptual distance", digits=4, best=-math.inf)
