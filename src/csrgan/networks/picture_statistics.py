"""Statistics of a picture in which its degradation is visible, whatever network restores it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.block_dct import LUMA, SIDE, BlockDCTStatistics
from csrgan.networks.source import InMemory, Source
from csrgan.networks.spectrum import BANDS, CELLS, FLOOR, SECTORS, Frequencies, RadialLogSpectrum, cells, means

TILE = 128  # px: side of the tiles that are looked at
TILES = 8  # at most, along each axis
DIRECTIONAL = 4  # features of each band


class PictureStatistics(nn.Module):
    """The radial log-spectrum, the statistics of JPEG's blocks, how the spectrum differs with direction, and how heavy the tails of
    the finest detail are: `features` numbers, each the mean over at most 8 x 8 tiles of 128 px.

    The picture is rounded to 8 bits first, as files are. A tile begins where a block of JPEG does.
    """

    features = 50 + BlockDCTStatistics.features + DIRECTIONAL * (len(BANDS) - 1) + 1

    def __init__(self) -> None:
        super().__init__()
        self.spectrum, self.blocks = RadialLogSpectrum(40, TILE), BlockDCTStatistics()

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        return self.read(InMemory(image))

    @torch.no_grad()
    def read(self, picture: Source) -> Float[Tensor, "b features"]:
        """Return the statistics of a picture of which only the tiles are read."""
        height, width = (min(side, TILE) for side in (picture.height, picture.width))
        rows, columns = (_starts(side) for side in (picture.height, picture.width))
        parts = [picture.part(slice(y, y + height), slice(x, x + width)) for y in rows for x in columns]
        tiles = (torch.stack(parts, dim=1).flatten(0, 1).float().clamp(0, 1) * 255).round() / 255
        luma = torch.einsum("bchw,c->bhw", tiles, tiles.new_tensor(LUMA))
        found = [self.spectrum(tiles), self.blocks(tiles), directions(luma), log_kurtosis(luma)[:, None]]
        return torch.cat(found, dim=1).view(len(parts[0]), -1, self.features).mean(dim=1)


def _starts(side: int) -> list[int]:
    """Return where tiles start along an axis: evenly spread, at the first pixel of a block of JPEG."""
    count = min(TILES, max(1, side // TILE))
    step = (side - min(side, TILE)) / max(count - 1, 1)
    return [int(k * step) // SIDE * SIDE for k in range(count)]


def directions(luma: Float[Tensor, "b h w"]) -> Float[Tensor, "b directional"]:
    """Return for each band of frequencies how much the log power differs between directions: its standard deviation, its range, the
    amplitude of its second harmonic and its greatest excess over the mean."""
    height, width = luma.shape[-2:]
    device = luma.device
    window = torch.hann_window(height + 2, device=device)[1:-1, None] * torch.hann_window(width + 2, device=device)[1:-1]
    centred = (luma - luma.mean(dim=(1, 2), keepdim=True)) * window
    power = torch.fft.fft2(centred).abs().square() / window.square().sum().clamp(min=1e-6)
    cell = cells(Frequencies.of(torch.fft.fftfreq(height, device=device), torch.fft.fftfreq(width, device=device)))
    logs = (means(power.flatten(1), cell, CELLS) + FLOOR).log().view(-1, len(BANDS) - 1, SECTORS)
    logs = logs - logs.mean(dim=2, keepdim=True)
    angle = torch.arange(SECTORS, device=device) * (2 * math.pi / SECTORS)
    harmonic = torch.hypot((logs * angle.cos()).mean(dim=2), (logs * angle.sin()).mean(dim=2))
    return torch.stack([logs.std(dim=2), logs.amax(dim=2) - logs.amin(dim=2), harmonic, logs.amax(dim=2)], dim=2).flatten(1) / 2


def log_kurtosis(luma: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    """Return half the logarithm of the kurtosis of what a 3 x 3 mean removes; single wrong pixels make it large."""
    detail = luma - nn.functional.avg_pool2d(luma[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    second, fourth = (detail.pow(order).mean(dim=(1, 2)) for order in (2, 4))
    return ((fourth + 1e-12) / (second.square() + 1e-10)).log() / 2
