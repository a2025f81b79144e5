"""Bodies that filter L in the frequency domain: by itself, or before a U-Net that mends what no such filter can."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor, nn

from csrgan.networks.generator import Body, Features
from csrgan.networks.spectrum import RadialLogSpectrum
from csrgan.networks.unet import UNetCore, Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

BORDER = 32  # px of mirrored picture around a picture that is filtered
HIGHEST = 0.5**0.5  # cycles/px, in the corners of the spectrum


class Spectral(Body):
    """A filter with a gain for each radial frequency, read from the radial log-spectrum of L: a Wiener filter (1949) that has
    learned what photographs look like and finds the degradation by itself.

    What it makes of L is the base of S: the output must be one that knows it (residual or sigmoid).
    Its narrowest features, (b, hidden, 1, 1), are what a parameter head reads and a condition changes before the gains are read.

    spectrum_bins, spectrum_tile: rings up to the Nyquist frequency and side of the tiles of the spectrum.
    gains: radial frequencies with a gain of their own; between them it is interpolated.
    hidden: width of the layers in between.
    """

    multiple = 1
    decoder_channels = 3
    encoder_parts = ("read",)
    draws = False

    def __init__(
        self, *, spectrum_bins: CountOr0 = 40, spectrum_tile: Count = 128, gains: Annotated[int, "[2,inf)"] = 64, hidden: Count = 96
    ) -> None:
        super().__init__()
        self.spectrum = RadialLogSpectrum(spectrum_bins, spectrum_tile)
        self.context_features, self.bottleneck_channels = self.spectrum.features, hidden
        self.known_features = self.context_features + hidden
        self.read = nn.Sequential(nn.Linear(self.spectrum.features, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, hidden))
        self.choose = nn.Sequential(
            nn.LeakyReLU(0.1), nn.Linear(hidden, hidden), nn.LeakyReLU(0.1), last := nn.Linear(hidden, gains)
        )
        nn.init.zeros_(last.weight)  # training starts at S = L
        nn.init.zeros_(last.bias)

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        context = self.spectrum(low)
        return Features(self.read(context)[:, :, None, None], (low,), context)

    def known(self, features: Features) -> Float[Tensor, "b known"]:
        """All that is known of the picture as a whole, for who goes on from here."""
        return torch.cat([features.context, features.bottleneck.flatten(1)], dim=1)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        found = filtered(low, 1 + self.choose(features.bottleneck.flatten(1)))
        return features._replace(decoder=found, image=torch.zeros_like(found), base=found)


class SpectralUNet(Body):
    """The spectral filter, then `UNetCore` that see L and what the filter made of it and mend that.

    first: the filter. The others: see `UNetCore`; what the filter knows of the picture and of theta^ tunes them.
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
            context=first.known_features,
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
        found = self.first.decode(features).base
        assert found is not None
        decoder, image = self.u.refine([low, found], self.first.known(features))
        return features._replace(decoder=decoder, image=image, base=found)


def filtered(image: Float[Tensor, "b c h w"], gains: Float[Tensor, "b k"]) -> Float[Tensor, "b c h w"]:
    """The picture with its frequencies times the gains, which are those of equally spaced radial frequencies from 0 to that of
    the corners, and are interpolated between them. The picture goes on mirrored beyond its border."""
    height, width = image.shape[-2:]
    down, across = (_mirrored(side, image.device) for side in (height, width))
    with torch.autocast(image.device.type, enabled=False):
        wide = image.float()[..., down, :][..., across]
        frequencies = (torch.fft.fftfreq(len(down), device=image.device), torch.fft.rfftfreq(len(across), device=image.device))
        place = torch.hypot(frequencies[0][:, None], frequencies[1]) * ((gains.shape[1] - 1) / HIGHEST)
        below = place.long().clamp(max=gains.shape[1] - 2)
        gain = torch.lerp(gains.float()[:, below], gains.float()[:, below + 1], place - below)
        found = torch.fft.irfft2(torch.fft.rfft2(wide) * gain[:, None], s=(len(down), len(across)))
    return found[..., :height, :width]


def _mirrored(side: int, device: torch.device) -> Tensor:
    """Places along an axis: the picture, and a border behind it that is mirrored (the edge pixel not repeated) and leads back to
    its beginning, of a length that is quick to transform."""
    length = next_fast_len(side + 2 * BORDER, real=True)
    behind = (length - side + 1) // 2
    place = torch.arange(length, device=device)
    place = torch.where(place < side + behind, place, place - length)
    period = max(1, 2 * (side - 1))
    place = place.remainder(period)
    return torch.where(place < side, place, period - place)
