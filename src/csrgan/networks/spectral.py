"""Bodies that filter L in the frequency domain, alone or before a U-Net that refines the result."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor, nn

from csrgan.networks.block_dct import BlockDCTStatistics
from csrgan.networks.generator import Body, Features
from csrgan.networks.spectrum import RadialLogSpectrum
from csrgan.networks.unet import UNetCore, Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

BORDER = 32  # px of mirrored border around the picture while it is filtered
HIGHEST = 0.5**0.5  # cycles/px: radial frequency at the corners of the spectrum


class Spectral(Body):
    """A filter with one gain per radial frequency, predicted from the radial log-spectrum of L: a Wiener filter (1949) that has
    learned the statistics of photographs and finds the degradation by itself.

    The filtered L is the base of S, so the output must be one that uses it (residual or sigmoid).
    A parameter head reads the bottleneck features, (b, hidden, 1, 1); a condition changes them before the gains are computed.

    spectrum_bins: rings of the spectrum up to the Nyquist frequency. spectrum_tile: side of its tiles, px.
    block_dct: whether it also sees the statistics of the blocks that JPEG codes, see `BlockDCTStatistics`.
    gains: radial frequencies with their own gain; gains in between are interpolated.
    hidden: width of the hidden layers.
    """

    multiple = 1
    decoder_channels = 3
    encoder_parts = ("read",)
    draws = False

    def __init__(
        self,
        *,
        spectrum_bins: CountOr0 = 40,
        spectrum_tile: Count = 128,
        block_dct: bool = False,
        gains: Annotated[int, "[2,inf)"] = 64,
        hidden: Count = 96,
    ) -> None:
        super().__init__()
        self.spectrum = RadialLogSpectrum(spectrum_bins, spectrum_tile)
        self.blocks = BlockDCTStatistics() if block_dct else None
        self.context_features = self.spectrum.features + (self.blocks.features if self.blocks else 0)
        self.bottleneck_channels = hidden
        self.global_features = self.context_features + hidden
        self.read = nn.Sequential(nn.Linear(self.context_features, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, hidden))
        self.choose = nn.Sequential(
            nn.LeakyReLU(0.1), nn.Linear(hidden, hidden), nn.LeakyReLU(0.1), last := nn.Linear(hidden, gains)
        )
        nn.init.zeros_(last.weight)  # training starts at S = L
        nn.init.zeros_(last.bias)

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        context = self.spectrum(low)
        if self.blocks:
            context = torch.cat([context, self.blocks(low)], dim=1)
        return Features(self.read(context)[:, :, None, None], (low,), context)

    def pool(self, features: Features) -> Float[Tensor, "b global_features"]:
        """Return all features of the picture as a whole, for the layers after the filter."""
        return torch.cat([features.context, features.bottleneck.flatten(1)], dim=1)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        filtered = apply_gains(low, 1 + self.choose(features.bottleneck.flatten(1)))
        return features._replace(decoder=filtered, image=torch.zeros_like(filtered), base=filtered)


class SpectralUNet(Body):
    """The spectral filter, then a `UNetCore` that sees L and the filtered L and refines the latter.

    first: the filter. For the others see `UNetCore`; the filter's global features, which may include theta^, modulate it.
    """

    multiple = 1
    encoder_parts = ("first.read",)

    def __init__(
        self,
        *,
        first: Spectral | None = None,
        width: Count = 32,
        levels: Depth = 3,
        middle_blocks: CountOr0 = 1,
        unshuffle: Count = 4,
        upsampling: Upsampling = transposed,
    ) -> None:
        super().__init__()
        first = first or Spectral()
        self.given_as(first=first)
        self.first = first
        self.context_features, self.bottleneck_channels = first.context_features, first.bottleneck_channels
        self.decoder_channels = width
        self.u = UNetCore(
            pictures=2,
            context=first.global_features,
            width=width,
            levels=levels,
            middle_blocks=middle_blocks,
            unshuffle=unshuffle,
            upsampling=upsampling,
        )

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        return self.first.encode(low)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        base = self.first.decode(features).base
        assert base is not None
        decoder, image = self.u.refine([low, base], self.first.pool(features))
        return features._replace(decoder=decoder, image=image, base=base)


def apply_gains(image: Float[Tensor, "b c h w"], gains: Float[Tensor, "b k"]) -> Float[Tensor, "b c h w"]:
    """Multiply the spectrum of the picture, mirrored beyond its border, by radial gains.

    gains: at k equally spaced radial frequencies from 0 to HIGHEST, interpolated linearly in between.
    """
    height, width = image.shape[-2:]
    rows, columns = (_mirror_indices(side, image.device) for side in (height, width))
    with torch.autocast(image.device.type, enabled=False):
        padded = image.float()[..., rows, :][..., columns]
        frequencies = (torch.fft.fftfreq(len(rows), device=image.device), torch.fft.rfftfreq(len(columns), device=image.device))
        position = torch.hypot(frequencies[0][:, None], frequencies[1]) * ((gains.shape[1] - 1) / HIGHEST)
        below = position.long().clamp(max=gains.shape[1] - 2)
        gain = torch.lerp(gains.float()[:, below], gains.float()[:, below + 1], position - below)
        filtered = torch.fft.irfft2(torch.fft.rfft2(padded) * gain[:, None], s=(len(rows), len(columns)))
    return filtered[..., :height, :width]


def _mirror_indices(side: int, device: torch.device) -> Tensor:
    """Return pixel indices along an axis of `side` pixels: the picture, then a mirrored border (edge pixel not repeated) that joins
    its end to its beginning. The total length is fast to transform."""
    length = next_fast_len(side + 2 * BORDER, real=True)
    behind = (length - side + 1) // 2
    index = torch.arange(length, device=device)
    index = torch.where(index < side + behind, index, index - length)
    period = max(1, 2 * (side - 1))
    index = index.remainder(period)
    return torch.where(index < side, index, period - index)
