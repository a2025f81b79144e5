"""Two classifiers of photographs without their last layers, as stages whose outputs a metric compares. Their weights come later."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and number of convolutions of each stage


class Stages(nn.ModuleList):
    """Parts of a network, one behind the other."""

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the output of each stage."""
        found = []
        for stage in self:
            x = stage(x)
            found.append(x)
        return found


def alexnet() -> Stages:
    """Return the five stages of AlexNet in its form of one column (Krizhevsky 2014), each up to its ReLU."""
    first = nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU())
    second = nn.Sequential(nn.MaxPool2d(3, stride=2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU())
    third = nn.Sequential(nn.MaxPool2d(3, stride=2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU())
    others = (nn.Sequential(nn.Conv2d(before, 256, 3, padding=1), nn.ReLU()) for before in (384, 256))
    return _frozen(first, second, third, *others)


def vgg16(pool: Callable[[int], nn.Module]) -> Stages:
    """Return the five stages of VGG16 (Simonyan and Zisserman 2015, configuration D), each up to its last ReLU.

    pool: makes what halves the features before each stage but the first, from their number of channels.
    """
    before, stages = 3, list[nn.Module]()
    for channels, count in VGG16:
        layers: list[nn.Module] = [pool(before)] if stages else []
        for one, other in pairwise([before, *[channels] * count]):
            layers += [nn.Conv2d(one, other, 3, padding=1), nn.ReLU()]
        stages.append(nn.Sequential(*layers))
        before = channels
    return _frozen(*stages)


def _frozen(*stages: nn.Module) -> Stages:
    return Stages(stages).eval().requires_grad_(False)
