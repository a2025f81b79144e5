"""U-Nets: from L to the raw picture, with the features that a parameter head reads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.networks.blocks import DoubleConvolution, Modulation, ResidualBlock, pad_to_multiple
from csrgan.networks.generator import Body, Features
from csrgan.networks.results import full_name, require_shape
from csrgan.networks.source import Source
from csrgan.networks.spectrum import RadialLogSpectrum
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

Upsampling = Callable[[int, int], nn.Module]

BORDER = 128  # px around a tile; what lies beyond changes S of a trained network by less than a level of 255 (64: by up to 10)

DOUBLED = "twice as high and wide as what it gets"


class UNetCore(nn.Module):
    """A U of residual blocks with strided convolutions between levels, behind a pixel-unshuffle stem (RRDBNet's, Wang et al. 2021),
    so that no convolution runs at full resolution.

    pictures: number of input pictures, of three channels each.
    context: number of global features, which scale and shift the bottleneck and the last features; 0: no modulation.
    width: channels after the stem; doubled at each level.
    levels: times the size is halved after the stem.
    middle_blocks: residual blocks at the bottleneck.
    unshuffle: side of the pixel block that the stem turns into channels.
    upsampling: makes the layers that double the size of features, see `networks/upsampling.py`.
    """

    def __init__(
        self, *, pictures: int, context: int, width: int, levels: int, middle_blocks: int, unshuffle: int, upsampling: Upsampling
    ) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(levels + 1)]
        self.unshuffle = unshuffle
        self.multiple = unshuffle * 2**levels
        self.bottleneck_channels = channels[-1]
        # The stem's convolution, then two for each block, at half the size level by level.
        self.reach = unshuffle * (1 + sum(2 * 2**level for level in range(levels)) + 2 * middle_blocks * 2**levels)
        self.tune_middle = Modulation(context, channels[-1], hidden=128) if context else None
        self.tune_last = Modulation(context, width, hidden=128) if context else None
        self.stem = nn.Conv2d(3 * pictures * unshuffle**2, width, 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(c) for c in channels[:-1])
        self.down = nn.ModuleList(nn.Conv2d(c, d, 2, stride=2) for c, d in pairwise(channels))
        self.middle = nn.Sequential(*(ResidualBlock(channels[-1]) for _ in range(middle_blocks)))
        self.up = nn.ModuleList(upsampling(d, c) for c, d in pairwise(channels))
        self.up_name = full_name(upsampling)
        self.decoder = nn.ModuleList(ResidualBlock(c) for c in channels[:-1])
        self.last = nn.Conv2d(width, 3 * unshuffle**2, 3, padding=1)
        for weights in self.last.parameters():
            nn.init.zeros_(weights)  # training starts at S = L with the outputs that use L

    def encode(self, pictures: Float[Tensor, "b c h w"], context: Float[Tensor, "b k"]) -> Features:
        x = self.stem(functional.pixel_unshuffle(pictures, self.unshuffle))
        skips = []
        for encode, halve in zip(self.encoder, self.down, strict=True):
            x = encode(x)
            skips.append(x)
            x = halve(x)
        return Features(self.middle(self.tune_middle(x, context) if self.tune_middle else x), tuple(skips), context)

    def decode(self, features: Features) -> Features:
        x = features.bottleneck
        for level in reversed(range(len(features.skips))):
            larger, skip = self.up[level](x), features.skips[level]
            require_shape(f"upsampling: {self.up_name}", larger, skip.shape, DOUBLED)
            x = self.decoder[level](larger + skip)
        x = self.tune_last(x, features.context) if self.tune_last else x
        return features._replace(decoder=x, image=functional.pixel_shuffle(self.last(x), self.unshuffle))

    def refine(self, pictures: list[Tensor], context: Float[Tensor, "b k"]) -> tuple[Tensor, Tensor]:
        """Return the last features and the raw picture for pictures of any size."""
        height, width = pictures[0].shape[-2:]
        features = self.decode(self.encode(pad_to_multiple(torch.cat(pictures, dim=1), self.multiple), context))
        assert features.decoder is not None and features.image is not None
        return features.decoder, features.image[..., :height, :width]


class UNet(Body):
    """A `UNetCore` on L, modulated by the radial log-spectrum of L.

    spectrum_bins: rings of the spectrum up to the Nyquist frequency; 0: no modulation. spectrum_tile: side of its tiles, px.
    For the others see `UNetCore`.
    """

    border = BORDER
    encoder_parts = ("u.stem", "u.encoder", "u.down", "u.tune_middle", "u.middle")

    def __init__(
        self,
        *,
        width: Count = 32,
        levels: Depth = 3,
        middle_blocks: CountOr0 = 1,
        unshuffle: Count = 4,
        spectrum_bins: CountOr0 = 40,
        spectrum_tile: Count = 128,
        upsampling: Upsampling = transposed,
    ) -> None:
        super().__init__()
        self.spectrum = RadialLogSpectrum(spectrum_bins, spectrum_tile) if spectrum_bins else None
        self.context_features = self.spectrum.features if self.spectrum else 0
        self.u = UNetCore(
            pictures=1,
            context=self.context_features,
            width=width,
            levels=levels,
            middle_blocks=middle_blocks,
            unshuffle=unshuffle,
            upsampling=upsampling,
        )
        self.multiple, self.bottleneck_channels, self.decoder_channels = self.u.multiple, self.u.bottleneck_channels, width
        self.grid, self.reach = self.multiple, self.u.reach

    def survey(self, picture: Source) -> Float[Tensor, "b k"]:
        return self.spectrum.read(picture) if self.spectrum else no_context(picture)

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        return self.u.encode(low, context)

    def decode(self, features: Features) -> Features:
        return self.u.decode(features)


class UNetAsCoded(Body):
    """The U-Net of CSRGAN's own program: five levels at full resolution, batch norm, max pooling, transposed convolution.

    width: channels of the first level (8 in the program); doubled at each of the four others.
    upsampling: makes the layers that double the size of features (transposed convolutions in the program).
    """

    multiple = 16
    grid = 16
    border = 96  # half of what its layers can reach
    single_side = 16
    context_features = 0
    encoder_parts = ("encoder",)

    def __init__(self, *, width: Count = 8, upsampling: Upsampling = transposed) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(5)]
        self.bottleneck_channels, self.decoder_channels = channels[-1], width
        self.encoder = nn.ModuleList(DoubleConvolution(c, d) for c, d in pairwise([3, *channels]))
        self.up_name = full_name(upsampling)
        self.up = nn.ModuleList(nn.Sequential(upsampling(d, c), nn.BatchNorm2d(c), nn.ReLU()) for c, d in pairwise(channels))
        self.decoder = nn.ModuleList(DoubleConvolution(2 * c, c) for c in channels[:-1])
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def survey(self, picture: Source) -> Float[Tensor, "b 0"]:
        return no_context(picture)

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        x, skips = low, []
        for level, encode in enumerate(self.encoder):
            x = encode(functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        bottleneck = skips.pop()
        return Features(bottleneck, tuple(skips), context)

    def decode(self, features: Features) -> Features:
        x = features.bottleneck
        for level in reversed(range(len(features.skips))):
            larger, skip = self.up[level](x), features.skips[level]
            require_shape(f"upsampling: {self.up_name}", larger, skip.shape, DOUBLED)
            x = self.decoder[level](torch.cat([larger, skip], dim=1))
        return features._replace(decoder=x, image=self.last(x))


def no_context(picture: Source) -> Float[Tensor, "b 0"]:
    """Return no global features, for the pictures of a source."""
    pixel = picture.part(slice(0, 1), slice(0, 1))
    return pixel.new_zeros(len(pixel), 0)
