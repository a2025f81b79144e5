"""Networks that learn from a single picture: KernelGAN's two (Bell-Kligler et al. 2019) and ZSSR's (Shocher et al. 2018)."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class DeepLinear(nn.Module):
    """A kernel of 13x13 taps, as the product of six convolutions without biases or activations; 150,656 parameters for width 64.

    A stack of linear layers says no more than its product, but is easier to learn (KernelGAN, section 4.1). The product is made
    here, once a step, and not the features of a whole picture at every layer.
    """

    SIDES = (7, 5, 3, 1, 1, 1)
    TAPS = sum(SIDES) - len(SIDES) + 1

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = pairwise([1, *[width] * (len(self.SIDES) - 1), 1])
        layers = [nn.Conv2d(*pair, side, bias=False) for pair, side in zip(channels, self.SIDES, strict=True)]
        self.layers = nn.Sequential(*layers)
        for layer in layers:
            nn.init.xavier_normal_(layer.weight)

    def forward(self) -> Float[Tensor, "k k"]:
        """The kernel, as a correlation applies it; not normalised."""
        point = next(self.parameters()).new_zeros(1, 1, 2 * self.TAPS - 1, 2 * self.TAPS - 1)
        point[..., self.TAPS - 1, self.TAPS - 1] = 1
        return self.layers(point)[0, 0].flip(0, 1)


class PatchJudge(nn.Module):
    """Each 7x7 pixels of a picture: in (0,1), whether they are as it was taken; 30,977 parameters for width 64.

    Batch norm sees both kinds of pictures at once, or it would hide how sharp either is: show them in one batch.
    """

    SIDE = 7

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(3, width, self.SIDE))]
        for _ in range(5):
            layers += [spectral_norm(nn.Conv2d(width, width, 1)), nn.BatchNorm2d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 1)))

    def logits(self, picture: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h2 w2"]:
        return self.body(picture)

    def forward(self, picture: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h2 w2"]:
        return torch.sigmoid(self.logits(picture))


class ZSSRNet(nn.Module):
    """What is missing of an enlarged picture, added to it: eight convolutions; 224,640 parameters for width 64."""

    def __init__(self, *, width: int, layers: int) -> None:
        super().__init__()
        convolutions: list[nn.Module] = []
        for before, after in pairwise([3, *[width] * (layers - 1), 3]):
            convolutions += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU()]
        self.body = nn.Sequential(*convolutions[:-1])

    def forward(self, enlarged: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return enlarged + self.body(enlarged)
