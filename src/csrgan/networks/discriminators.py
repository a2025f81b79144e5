"""Discriminators: one logit a picture, high for sharp."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from csrgan.fault import check
from csrgan.networks.blocks import pad_to_multiple


class VGG(nn.Module):
    """VGG-style stack of convolution pairs, the second of each halving the picture (SRGAN, Ledig et al. 2017, fig. 4).

    Without batch norm, whose statistics would tie the pictures of a batch together, and with an average over the last
    layer's places, so that any input size is legal.
    unshuffle: side of the pixel block that is turned into channels first; 1: none, as in the paper.
    width: channels of the first pair. stages: pairs; channels double at each. hidden: width of the linear layer.
    """

    def __init__(self, *, unshuffle: int, width: int, stages: int, hidden: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        layers: list[nn.Module] = [nn.PixelUnshuffle(unshuffle)]
        channels = 3 * unshuffle**2
        for stage in range(stages):
            out = width * 2**stage
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(out, out, 3, padding=1, stride=2), nn.LeakyReLU(0.2)]
            channels = out
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(channels, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
        return self.judge(self.features(pad_to_multiple(image, self.unshuffle)).mean(dim=(2, 3)))[:, 0]


class VGGAsCoded(nn.Module):
    """The discriminator of CSRGAN's own program, but for its last sigmoid: four small convolutions, then wide linear layers.

    size: side of its input in pixels, a multiple of 16; the linear layers fit no other.
    """

    def __init__(self, *, size: int) -> None:
        super().__init__()
        check(
            size % 16 == 0,
            f"data.crop={size} is no multiple of 16, which discriminator=vgg_as_coded needs. The nearest: {round(size / 16) * 16}.",
        )
        self.size = size
        layers: list[nn.Module] = []
        for before, after in ((3, 4), (4, 8), (8, 16), (16, 32)):
            # No running statistics: the network is only ever used while training, and a forward pass must not change it.
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after, track_running_stats=False),
                nn.ReLU(),
                nn.AvgPool2d(2),
            ]
        self.features = nn.Sequential(*layers, nn.Flatten())
        sizes = (32 * (size // 16) ** 2, 500, 100, 30, 1)
        linear: list[nn.Module] = []
        for before, after in pairwise(sizes):
            linear += [nn.Linear(before, after), nn.ReLU()]
        self.judge = nn.Sequential(*linear[:-1])

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
        return self.judge(self.features(image))[:, 0]
