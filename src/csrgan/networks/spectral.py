"""Bodies that filter L in the frequency domain, alone or before a U-Net that refines the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor, nn

from csrgan.networks import portable
from csrgan.networks.block_dct import BlockDCTStatistics
from csrgan.networks.generator import Body, Features, Place
from csrgan.networks.source import Source
from csrgan.networks.spectrum import RadialLogSpectrum
from csrgan.networks.unet import BORDER, UNetCore, Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

MIRRORED = 32  # px of mirrored border around the picture while it is filtered
NARROWEST, WIDEST = 32, 512  # px of border that a tile is filtered with
STEP = 2e-3  # of full scale, half a level of 255: what an edge beyond the border may change
HIGHEST = 0.5**0.5  # cycles/px: radial frequency at the corners of the spectrum


class Spectral(Body):
    """A filter with one gain per radial frequency, predicted from the radial log-spectrum of L: a Wiener filter (1949) that has
    learned the statistics of photographs and finds the degradation by itself.

    The filtered L is the base of S, so the output must be one that uses it (residual or sigmoid).
    A parameter head reads the bottleneck features, (b, hidden, 1, 1); a condition changes them before the gains are computed.

    spectrum_bins: rings of the spectrum up to the Nyquist frequency. spectrum_tile: side of its tiles, px.
    block_dct: whether it also sees the statistics of the blocks that JPEG codes, see `BlockDCTStatistics`.
    directions: whether it also sees how the spectrum differs with direction, see `RadialLogSpectrum`; motion and oval kernels show
    there.
    gains: radial frequencies with their own gain; gains in between are interpolated.
    hidden: width of the hidden layers.
    """

    multiple = 1
    border = BORDER
    decoder_channels = 3
    encoder_parts = ("read",)
    draws = False

    def __init__(
        self,
        *,
        spectrum_bins: CountOr0 = 40,
        spectrum_tile: Count = 128,
        block_dct: bool = False,
        directions: bool = False,
        gains: Annotated[int, "[2,inf)"] = 64,
        hidden: Count = 96,
    ) -> None:
        super().__init__()
        self.spectrum = RadialLogSpectrum(spectrum_bins, spectrum_tile, directions=directions)
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

    def survey(self, picture: Source) -> Float[Tensor, "b k"]:
        context = self.spectrum.read(picture)
        return torch.cat([context, self.blocks.read(picture)], dim=1) if self.blocks else context

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        return Features(self.read(context)[:, :, None, None], (low,), context)

    def pool(self, features: Features) -> Float[Tensor, "b global_features"]:
        """Return all features of the picture as a whole, for the layers after the filter."""
        return torch.cat([features.context, features.bottleneck.flatten(1)], dim=1)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        gains = 1 + self.choose(features.bottleneck.flatten(1))
        filtered = apply_gains(low, gains) if features.place is None else _filter_tile(features.place, gains)
        return features._replace(decoder=filtered, image=torch.zeros_like(filtered), base=filtered)


class SpectralUNet(Body):
    """The spectral filter, then a `UNetCore` that sees L and the filtered L and refines the latter.

    first: the filter. For the others see `UNetCore`; the filter's global features, which may include theta^, modulate it.
    """

    pictures = 2  # that the U-Net sees
    multiple = 1
    border = BORDER
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
            pictures=self.pictures,
            context=first.global_features,
            width=width,
            levels=levels,
            middle_blocks=middle_blocks,
            unshuffle=unshuffle,
            upsampling=upsampling,
        )
        self.grid = self.u.multiple

    def survey(self, picture: Source) -> Float[Tensor, "b k"]:
        return self.first.survey(picture)

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        return self.first.encode_part(low, context)

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
    if torch.onnx.is_in_onnx_export():
        return portable.apply_gains(image, gains, MIRRORED, HIGHEST)
    height, width = image.shape[-2:]
    rows, columns = (_mirror_indices(side, image.device) for side in (height, width))
    with torch.autocast(image.device.type, enabled=False):
        return _filtered(image.float()[..., rows, :][..., columns], gains)[..., :height, :width]


def _filtered(periodic: Float[Tensor, "b c h w"], gains: Float[Tensor, "b k"]) -> Float[Tensor, "b c h w"]:
    """Multiply the spectrum of one period of a picture by radial gains."""
    height, width = periodic.shape[-2:]
    frequencies = (torch.fft.fftfreq(height, device=periodic.device), torch.fft.rfftfreq(width, device=periodic.device))
    gain = _at(gains, torch.hypot(frequencies[0][:, None], frequencies[1]))
    return torch.fft.irfft2(torch.fft.rfft2(periodic) * gain[:, None], s=(height, width))


def _at(gains: Float[Tensor, "b k"], frequency: Float[Tensor, ...]) -> Float[Tensor, "b ..."]:
    """Return the gains at radial frequencies, cycles/px."""
    position = frequency * ((gains.shape[1] - 1) / HIGHEST)
    below = position.long().clamp(max=gains.shape[1] - 2)
    return torch.lerp(gains.float()[:, below], gains.float()[:, below + 1], position - below)


def filter_border(gains: Float[Tensor, "b k"]) -> int:
    """Return how many pixels around a tile the filter has to see.

    Beyond them a straight edge from black to white changes the filtered tile by less than STEP. At most WIDEST, which rough gains
    do not reach: the narrower the features of a filter's spectrum, the farther it reaches.
    """
    length = 8 * WIDEST
    frequency = torch.fft.rfftfreq(length, device=gains.device)
    across = torch.fft.irfft(_at(gains, frequency), n=length)  # of the edge's profile
    beyond = across[:, : length // 2].flip(1).cumsum(dim=1).flip(1).abs().amax(dim=0)  # the sum of all taps from each one on
    wide = (beyond[:WIDEST] >= STEP).nonzero()
    return max(NARROWEST, int(wide.max()) + 1 if len(wide) else 0)


def _filter_tile(place: Place, gains: Float[Tensor, "b k"]) -> Float[Tensor, "b 3 h w"]:
    """Return a tile of what `apply_gains` makes of the whole picture."""
    border = filter_border(gains)
    with torch.autocast(gains.device.type, enabled=False):
        wide = _wide(place, border)
        filtered = _filtered(wide.float(), gains)
    height, width = (part.stop - part.start for part in (place.rows, place.columns))
    return filtered[..., border : border + height, border : border + width]


def _wide(place: Place, border: int) -> Float[Tensor, "b 3 h w"]:
    """Return a tile with a wider border, from the picture as `apply_gains` continues it: mirrored, and periodic."""
    sides = []
    for part, side in ((place.rows, place.picture.height), (place.columns, place.picture.width)):
        length = next_fast_len(part.stop - part.start + 2 * border, real=True)
        indices = _mirror_indices(side, torch.device("cpu"))
        wanted = torch.arange(part.start - border, part.start - border + length).remainder(len(indices))
        sides.append(indices[wanted])
    rows, columns = sides
    parts = [torch.cat([_read(place.picture, down, across) for across in _runs(columns)], dim=3) for down in _runs(rows)]
    return torch.cat(parts, dim=2) if len(parts) > 1 else parts[0]


def _runs(indices: Tensor) -> Iterator[Tensor]:
    """Divide indices into runs in which each is the one before plus 1, or each the one before minus 1."""
    steps = indices.diff()
    first = 0
    while first < len(indices):
        step = steps[first] if first < len(steps) else torch.tensor(0)
        breaks = (steps[first:] != step).nonzero() if abs(int(step)) == 1 else torch.zeros(1, 1, dtype=torch.long)
        last = first + int(breaks[0]) if len(breaks) else len(indices) - 1
        yield indices[first : last + 1]
        first = last + 1


def _read(picture: Source, rows: Tensor, columns: Tensor) -> Float[Tensor, "b 3 h w"]:
    """Return a run of rows and one of columns."""
    part = picture.part(*(slice(int(run.min()), int(run.max()) + 1) for run in (rows, columns)))
    backwards = [axis for axis, run in ((-2, rows), (-1, columns)) if len(run) > 1 and run[0] > run[-1]]
    return part.flip(backwards) if backwards else part


def _mirror_indices(side: int, device: torch.device) -> Tensor:
    """Return pixel indices along an axis of `side` pixels: the picture, then a mirrored border (edge pixel not repeated) that joins
    its end to its beginning. The total length is fast to transform."""
    length = next_fast_len(side + 2 * MIRRORED, real=True)
    behind = (length - side + 1) // 2
    index = torch.arange(length, device=device)
    index = torch.where(index < side + behind, index, index - length)
    period = max(1, 2 * (side - 1))
    index = index.remainder(period)
    return torch.where(index < side, index, period - index)
