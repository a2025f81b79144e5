"""Discriminators: give logits, high for sharp, one per picture or one per position.

Each takes a picture, L and theta (in network units); most ignore L and theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.kernel_pca import maps
from csrgan.degradation.parameters import NAMES
from csrgan.errors import raise_faults
from csrgan.networks.blocks import pad_to_multiple
from csrgan.ranges import Count, Depth

Picture = Float[Tensor, "b 3 h w"]
Theta = Float[Tensor, "b p"]
Logits = Float[Tensor, "b *places"]


class Stack(nn.Module):
    """Pairs of convolutions, the second of stride 2, then the mean over all positions and two linear layers.

    channels: of the input. For the others see `VGG`.
    """

    def __init__(self, channels: int, *, unshuffle: int, width: int, stages: int, hidden: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        layers: list[nn.Module] = [nn.PixelUnshuffle(unshuffle)]
        channels = channels * unshuffle**2
        for stage in range(stages):
            out = width * 2**stage
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(out, out, 3, padding=1, stride=2), nn.LeakyReLU(0.2)]
            channels = out
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(channels, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Logits:
        return self.judge(self.features(pad_to_multiple(x, self.unshuffle)).mean(dim=(2, 3)))[:, 0]


class VGG(Recorded, nn.Module):
    """VGG-style stack of convolution pairs (SRGAN, Ledig et al. 2017, fig. 4), for any input size.

    Without batch norm, whose statistics would make the logit of a picture depend on the rest of the batch.
    unshuffle: side of the pixel block that the stem turns into channels; 1: none, as in the paper.
    width: channels of the first pair. stages: pairs; channels double at each. hidden: width of the linear layer.
    """

    def __init__(self, *, unshuffle: Count = 2, width: Count = 16, stages: Depth = 4, hidden: Count = 64) -> None:
        super().__init__()
        self.stack = Stack(3, unshuffle=unshuffle, width=width, stages=stages, hidden=hidden)

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        return self.stack(image)


class SRGANs(Recorded, nn.Module):
    """SRGAN's discriminator (Ledig et al. 2017, fig. 4): eight convolutions, seven with batch norm, average pooling to 6 x 6, so
    that pictures of any size fit, and two linear layers; 23,563,649 parameters for width 64 and hidden 1024.

    width: channels of the first pair of convolutions; doubled at each of the three others. hidden: width of the linear layer.
    """

    single_side = 16  # px: at this side or below, its batch norm sees a single pixel

    def __init__(self, *, width: Count = 64, hidden: Count = 1024) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.LeakyReLU(0.2)]
        sizes = [width * scale for scale in (1, 1, 2, 2, 4, 4, 8, 8)]
        for index, (before, after) in enumerate(pairwise(sizes)):
            layers += [
                nn.Conv2d(before, after, 3, stride=1 + (index + 1) % 2, padding=1, bias=False),
                nn.BatchNorm2d(after, track_running_stats=False),  # a forward pass must not change the network, see `VGGAsCoded`
                nn.LeakyReLU(0.2),
            ]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(6), nn.Flatten())
        self.judge = nn.Sequential(nn.Linear(36 * sizes[-1], hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        return self.judge(self.features(image))[:, 0]


class Conditional(Recorded, nn.Module):
    """The VGG-style stack with L and the true degradation, as maps, as further input: it judges whether the three belong together
    (the first version of CSRGAN's program).

    parameters: names of the degradation parameters. For the others see `VGG`.
    """

    reads_theta = True

    def __init__(
        self, *, parameters: Sequence[str] = NAMES, unshuffle: Count = 2, width: Count = 16, stages: Depth = 4, hidden: Count = 64
    ) -> None:
        super().__init__()
        self.stack = Stack(6 + len(parameters), unshuffle=unshuffle, width=width, stages=stages, hidden=hidden)

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        return self.stack(torch.cat([image, low, maps(theta, *image.shape[-2:])], dim=1))


class Patch(Recorded, nn.Module):
    """PatchGAN: a logit per position, from the pixels around it (pix2pix, Isola et al. 2017, appendix 6.1.2).

    Without normalisation layers. width: channels of the first layer; doubled at each later layer, up to 8 x width.
    stages: layers of stride 2; with three, the receptive field is 70 pixels.
    """

    def __init__(self, *, width: Count = 32, stages: Depth = 3) -> None:
        super().__init__()
        channels = [3, *(width * min(2**stage, 8) for stage in range(stages + 1))]
        layers: list[nn.Module] = []
        for stage, (before, after) in enumerate(pairwise(channels)):
            layers += [nn.Conv2d(before, after, 4, stride=2 if stage < stages else 1, padding=1), nn.LeakyReLU(0.2)]
        self.judge = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 4, padding=1))
        self.min_side = 2 ** (stages + 2)

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        height, width = image.shape[-2:]
        padded = functional.pad(image, (0, max(self.min_side - width, 0), 0, max(self.min_side - height, 0)), mode="replicate")
        return self.judge(padded)[:, 0]


class UNetSN(Recorded, nn.Module):
    """U-Net with spectral normalisation: a logit per pixel, each from a large receptive field (Real-ESRGAN, Wang et al. 2021,
    section 3.3).

    width: channels of the first layer; doubled at each level. levels: times the size is halved. unshuffle: side of the pixel block
    that the stem turns into channels; 1: none, as in the paper.
    """

    def __init__(self, *, width: Count = 16, levels: Depth = 3, unshuffle: Count = 2) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(levels + 1)]
        self.multiple = unshuffle * 2**levels
        self.stem = nn.Sequential(nn.PixelUnshuffle(unshuffle), nn.Conv2d(3 * unshuffle**2, width, 3, padding=1))
        self.down = nn.ModuleList(spectral_conv(c, d, 4, stride=2) for c, d in pairwise(channels))
        self.up = nn.ModuleList(spectral_conv(d, c, 3) for c, d in pairwise(channels))
        self.judge = nn.Sequential(spectral_conv(width, width, 3), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        x = functional.leaky_relu(self.stem(pad_to_multiple(image, self.multiple)), 0.2)
        skips = []
        for halve in self.down:
            skips.append(x)
            x = functional.leaky_relu(halve(x), 0.2)
        for level in reversed(range(len(skips))):
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = functional.leaky_relu(self.up[level](x), 0.2) + skips[level]
        return self.judge(x)[:, 0]


def spectral_conv(before: int, after: int, size: int, stride: int = 1) -> nn.Module:
    """Return a convolution whose weight is divided by its spectral norm (Miyato et al. 2018)."""
    convolution: nn.Module = spectral_norm(nn.Conv2d(before, after, size, stride, padding=1, bias=False))
    return convolution


class VGGAsCoded(Recorded, nn.Module):
    """The discriminator of CSRGAN's own program without its final sigmoid: four small convolutions, then wide linear layers.

    size: side of the input in pixels, a multiple of 16; the linear layers fit only this size.
    """

    multiple = 16  # px: the side of a crop must be a multiple of this
    one_size = True  # all crops must have the same size

    def __init__(self, *, size: Count) -> None:
        super().__init__()
        raise_faults(rules.multiples("data.crop", size, rules.discriminator_multiple(type(self).__name__, self.multiple)))
        self.size = size
        layers: list[nn.Module] = []
        for before, after in ((3, 4), (4, 8), (8, 16), (16, 32)):
            # No running statistics: the network is used only in training, and a forward pass must not change it.
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

    def forward(self, image: Picture, low: Picture, theta: Theta) -> Logits:
        return self.judge(self.features(image))[:, 0]
