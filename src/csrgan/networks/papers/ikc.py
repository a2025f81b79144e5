"""The networks of IKC (Gu et al. 2019): SFTMD restores for a code, Predictor estimates it from L, Corrector corrects it from S."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.degradation.kernel_pca import maps
from csrgan.networks.papers.estimator_output import EstimatorOutput, init_he
from csrgan.networks.papers.stem_upsample import Stem, upsampler
from csrgan.ranges import Count

Picture = Float[Tensor, "b 3 h w"]
Code = Float[Tensor, "b p"]


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


class SFT(nn.Module):
    """Spatial feature transform: scale each position by sigmoid(m) and shift it by a, both predicted from the features and the code
    (Wang et al. 2018; IKC, section 3.2)."""

    def __init__(self, width: int, code: int, hidden: int) -> None:
        super().__init__()
        self.scale, self.shift = (
            nn.Sequential(nn.Conv2d(width + code, hidden, 3, padding=1), leaky(), nn.Conv2d(hidden, width, 3, padding=1))
            for _ in range(2)
        )

    def forward(self, x: Float[Tensor, "b c h w"], code: Float[Tensor, "b p h w"]) -> Float[Tensor, "b c h w"]:
        both = torch.cat([x, code], dim=1)
        return x * torch.sigmoid(self.scale(both)) + self.shift(both)


class SFTBlock(nn.Module):
    """x + conv(relu(sft(conv(relu(sft(x))))))."""

    def __init__(self, width: int, code: int, hidden: int) -> None:
        super().__init__()
        self.tunes = nn.ModuleList(SFT(width, code, hidden) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Float[Tensor, "b c h w"], code: Float[Tensor, "b p h w"]) -> Float[Tensor, "b c h w"]:
        y = x
        for tune, convolution in zip(self.tunes, self.convolutions, strict=True):
            y = convolution(functional.relu(tune(y, code)))
        return x + y


class SFTMD(nn.Module):
    """SRResNet with SFT layers in place of batch norm; every block sees the code.

    code: length of a code. enlarge, unshuffle, skip: see `SRResNet`. hidden: channels within an SFT layer.
    4,086,979, 4,271,619 and 4,234,691 parameters for x2, x3 and x4, width 64, 16 blocks, hidden 32 and a code of 10 numbers.
    """

    def __init__(
        self, *, enlarge: int, code: int, width: Count, blocks: Count, hidden: Count, unshuffle: Count, skip: bool
    ) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle, skip)
        self.head = nn.Sequential(
            self.stem,
            nn.Conv2d(self.stem.channels, width, 3, padding=1),
            leaky(),
            nn.Conv2d(width, width, 3, padding=1),
            leaky(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.blocks = nn.ModuleList(SFTBlock(width, code, hidden) for _ in range(blocks))
        self.tune = SFT(width, code, hidden)
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.tail = nn.Sequential(upsampler(width, self.stem.factor, leaky), nn.Conv2d(width, 3, 9, padding=4))

    def forward(self, low: Picture, code: Code) -> Float[Tensor, "b 3 h2 w2"]:
        first = x = self.head(low)
        code_maps = maps(code, *x.shape[-2:])
        for block in self.blocks:
            x = block(x, code_maps)
        image: Tensor = self.tail(self.middle(self.tune(first + x, code_maps)))
        return self.stem.picture(image, low)


class Predictor(nn.Module):
    """A first code from L: six convolutions 5x5 and the mean over all positions; 430,730 parameters for width 64 and 10 numbers.

    code: length of a code. reads: see `EstimatorOutput`.
    """

    def __init__(self, *, code: int, width: Count, reads: Literal["mean", "statistics"]) -> None:
        super().__init__()
        self.body = _stack((3, *[width] * 5), (1, 1, 1, 2, 1))
        self.read = EstimatorOutput(reads, lambda channels: _stack((width, channels), (1,)), width=width, outputs=code)
        init_he(self)

    def forward(self, low: Picture) -> Code:
        return self.read(self.body(self.read.standardise(low)))


class Corrector(nn.Module):
    """code + a correction predicted from S and the code; 649,930 parameters for width 64 and 10 numbers.

    code, reads: see `Predictor`.
    """

    def __init__(self, *, code: int, width: Count, reads: Literal["mean", "statistics"]) -> None:
        super().__init__()
        self.look = _stack((3, *[width] * 7), (1, 2, 1, 2, 1, 1, 1))
        self.know = nn.Sequential(nn.Linear(code, width), leaky(), nn.Linear(width, width), leaky())
        self.judge = nn.Sequential(nn.Conv2d(2 * width, 2 * width, 1), leaky(), nn.Conv2d(2 * width, width, 1), leaky())
        self.read = EstimatorOutput(reads, lambda channels: nn.Conv2d(width, channels, 1), width=width, outputs=code)
        init_he(self)

    def forward(self, restored: Picture, code: Code) -> Code:
        features = self.look(self.read.standardise(restored))
        code_maps = maps(self.know(code), *features.shape[-2:])
        return code + self.read(self.judge(torch.cat([features, code_maps], dim=1)))


def _stack(sizes: tuple[int, ...], strides: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for (before, after), stride in zip(pairwise(sizes), strides, strict=True):
        layers += [nn.Conv2d(before, after, 5, stride, padding=2), leaky()]
    return nn.Sequential(*layers)
