"""The networks of DAN, first and second version (Luo et al. 2020 and 2021): Restorer and Estimator, which alternate."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.kernel_pca import maps
from csrgan.networks.blocks import pad_to_multiple
from csrgan.networks.papers.estimator_output import EstimatorOutput, init_he
from csrgan.networks.papers.stem_upsample import Stem, upsampler
from csrgan.ranges import Count

Picture = Float[Tensor, "b 3 h w"]
Code = Float[Tensor, "b p"]
Features = Float[Tensor, "b c h w"]


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


class ChannelAttention(nn.Module):
    """Scale each channel by a factor in (0,1) computed from the means of all channels (Zhang et al. 2018, RCAN, eq. 7)."""

    def __init__(self, width: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(width // reduction, 1)
        self.read = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, hidden, 1), leaky(), nn.Conv2d(hidden, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Features) -> Features:
        return x * self.read(x)


class ConditionalBlock(nn.Module):
    """CRB: x + attention(conv(act(conv([x, condition])))) (DAN, fig. 3). conditions: channels of the condition."""

    def __init__(self, width: int, conditions: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width + conditions, width + conditions, 3, padding=1),
            leaky(),
            nn.Conv2d(width + conditions, width, 3, padding=1),
            ChannelAttention(width),
        )

    def forward(self, x: Features, condition: Float[Tensor, "b p h w"]) -> Features:
        return x + self.body(torch.cat([x, condition], dim=1))


class DualPathBlock(nn.Module):
    """DPCB: f = f2(condition); gives x + f1(x) f and condition + f (DAN v2, fig. 4). side: kernel size of f2's convolutions."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), leaky(), nn.Conv2d(width, width, 3, padding=1))
        make = partial(nn.Conv2d, width, width, side, padding=side // 2)
        self.second = nn.Sequential(make(), leaky(), make())

    def forward(self, x: Features, condition: Float[Tensor, "b c h2 w2"]) -> tuple[Features, Float[Tensor, "b c h2 w2"]]:
        f = self.second(condition)
        return x + self.first(x) * f, condition + f

    def scale_last(self, factor: float) -> None:
        """Scale the weights of both paths' last layers."""
        for layer in (self.first[-1], self.second[-1]):
            assert isinstance(layer, nn.Conv2d)
            layer.weight.data *= factor


class RestorerV1(nn.Module):
    """L and a code to S; every block sees the code as maps.

    code: length of a code. enlarge, unshuffle, skip: see `SRResNet`.
    """

    def __init__(self, *, enlarge: int, code: int, width: Count, blocks: Count, unshuffle: Count, skip: bool) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle, skip)
        self.head = nn.Sequential(self.stem, nn.Conv2d(self.stem.channels, width, 3, padding=1))
        self.blocks = nn.ModuleList(ConditionalBlock(width, code) for _ in range(blocks))
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.tail = nn.Sequential(upsampler(width, self.stem.factor), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, low: Picture, code: Code) -> Float[Tensor, "b 3 h2 w2"]:
        x = self.head(low)
        condition = maps(code, *x.shape[-2:])
        for block in self.blocks:
            x = block(x, condition)
        image: Tensor = self.tail(self.middle(x))
        return self.stem.picture(image, low)


class EstimatorV1(nn.Module):
    """L and S to `outputs` numbers; both are brought to the size that the restorer works at. reads: see `EstimatorOutput`."""

    def __init__(
        self, *, enlarge: int, outputs: int, width: Count, blocks: Count, unshuffle: Count, reads: Literal["mean", "statistics"]
    ) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle)
        self.low = nn.Sequential(self.stem, nn.Conv2d(self.stem.channels, width, 1))
        self.high = nn.Conv2d(3, width, 9, self.stem.factor, padding=4)
        self.blocks = nn.ModuleList(ConditionalBlock(width, width) for _ in range(blocks))
        self.read = EstimatorOutput(reads, lambda channels: nn.Conv2d(width, channels, 3, padding=1), width=width, outputs=outputs)
        init_he(self)

    def forward(self, low: Picture, restored: Float[Tensor, "b 3 h2 w2"]) -> Code:
        low, restored = self.read.standardise(low), self.read.standardise(restored)
        x = self.low(low)
        condition = _crop_like(self.high(pad_to_multiple(restored, self.stem.factor)), x)
        for block in self.blocks:
            x = block(x, condition)
        return self.read(x)


class RestorerV2(nn.Module):
    """L and a code to S: groups of dual-path blocks, which update the features of the code and of the picture together."""

    def __init__(
        self, *, enlarge: int, code: int, width: Count, groups: Count, blocks: Count, unshuffle: Count, skip: bool
    ) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle, skip)
        self.head = nn.Sequential(self.stem, nn.Conv2d(self.stem.channels, width, 3, padding=1))
        self.know = nn.Conv2d(code, width, 1)
        self.groups = nn.ModuleList(nn.ModuleList(DualPathBlock(width, 1) for _ in range(blocks)) for _ in range(groups))
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.tail = nn.Sequential(upsampler(width, self.stem.factor), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, low: Picture, code: Code) -> Float[Tensor, "b 3 h2 w2"]:
        x, condition = self.head(low), self.know(code[:, :, None, None])
        for group in self.groups:
            first_x, first_condition = x, condition
            assert isinstance(group, nn.ModuleList)
            for block in group:
                x, condition = block(x, condition)
            x, condition = first_x + x, first_condition + condition
        image: Tensor = self.tail(self.middle(x))
        return self.stem.picture(image, low)


class EstimatorV2(nn.Module):
    """L and S to `outputs` numbers, by dual-path blocks. reads: see `EstimatorOutput`."""

    def __init__(
        self, *, enlarge: int, outputs: int, width: Count, blocks: Count, unshuffle: Count, reads: Literal["mean", "statistics"]
    ) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle)
        self.low = nn.Sequential(self.stem, nn.Conv2d(self.stem.channels, width, 5, padding=2))
        self.high = nn.Conv2d(3, width, 4 * self.stem.factor + 1, self.stem.factor, padding=2 * self.stem.factor)
        self.blocks = nn.ModuleList(DualPathBlock(width, 3) for _ in range(blocks))
        self.tail = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.read = EstimatorOutput(reads, lambda channels: nn.Conv2d(2 * width, channels, 1), width=2 * width, outputs=outputs)
        init_he(self)
        for block in self.blocks:  # their products would grow from block to block, and the codes of a new network to thousands
            assert isinstance(block, DualPathBlock)
            block.scale_last(blocks**-0.5)

    def forward(self, low: Picture, restored: Float[Tensor, "b 3 h2 w2"]) -> Code:
        low, restored = self.read.standardise(low), self.read.standardise(restored)
        x = self.low(low)
        condition = _crop_like(self.high(pad_to_multiple(restored, self.stem.factor)), x)
        for block in self.blocks:
            x, condition = block(x, condition)
        return self.read(self.tail(x))


def _crop_like(features: Float[Tensor, "b c h2 w2"], like: Features) -> Features:
    return features[..., : like.shape[-2], : like.shape[-1]]
