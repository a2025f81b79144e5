"""The radial log-spectrum of a picture, in which blur, up-sampling and noise floor are visible."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from csrgan.networks import portable
from csrgan.networks.source import InMemory, Source, whole

FLOOR = 1e-7  # power added before the logarithm, far below that of one 8-bit step
TOGETHER = 64  # tiles whose spectra are computed at once
CENTRE, SPREAD = -6.0, 4.0  # of the log power of photographs; scales the features to order one
BANDS = (0.03, 0.07, 0.12, 0.2, 0.3, 0.5)  # cycles/px: edges of the bands in which directions are compared
SECTORS = 8  # of the directions, over 180 degrees
CELLS = SECTORS * (len(BANDS) - 1)


class RadialLogSpectrum(nn.Module):
    """Log power spectrum averaged over colours, over rings of equal frequency and over tiles (Welch 1967).

    bins: rings up to the Nyquist frequency, 0.5 cycles/px; the corners beyond it add a quarter as many.
    tile: side of the tiles, px, which overlap by half or more; a smaller picture is one tile. The lowest frequencies depend on the
    side of the tile, so whole photographs are read in tiles of the size of the training crops.
    directions: also give, for each of five bands, the second harmonic of the log power over its direction, as the coefficients of
    cos(2 angle) and sin(2 angle): a blur along a line takes away power along it.
    """

    def __init__(self, bins: int, tile: int, *, directions: bool = False) -> None:
        super().__init__()
        self.bins, self.tile, self.directions = bins, tile, directions
        self.rings = bins + bins // 4
        self.features = self.rings + (2 * (len(BANDS) - 1) if directions else 0)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        return self.read(InMemory(image))

    def _exported(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        power, frequencies = portable.power(image, self.tile), Frequencies(*portable.frequencies(image, self.tile))
        indices = [(self.ring(frequencies), self.rings), *([(cells(frequencies), CELLS)] if self.directions else [])]
        return self._features(*(power @ _shares(index, count) for index, count in indices))

    def read(self, picture: Source) -> Float[Tensor, "b features"]:
        """Return the spectrum of a picture that is read in rows of tiles."""
        if torch.onnx.is_in_onnx_export():
            return self._exported(whole(picture))
        height, width = (min(side, self.tile) for side in (picture.height, picture.width))
        rows, columns = (_tile_starts(side, self.tile) for side in (picture.height, picture.width))
        strip = picture.part(slice(0, height), slice(0, picture.width))
        device = strip.device
        with torch.autocast(device.type, enabled=False):
            window = _hann(height, device)[:, None] * _hann(width, device)
            window = window / window.square().sum().sqrt().clamp(min=1e-6)
            power = torch.zeros(len(strip), height, width // 2 + 1, device=device)
            for top in rows:
                strip = picture.part(slice(top, top + height), slice(0, picture.width)).float()
                for first in range(0, len(columns), TOGETHER):
                    tiles = torch.stack([strip[..., left : left + width] for left in columns[first : first + TOGETHER]], dim=1)
                    centred = tiles - tiles.mean(dim=(3, 4), keepdim=True)
                    power = power + torch.fft.rfft2(centred * window).abs().square().mean(dim=2).sum(dim=1)
            frequencies = Frequencies.of(torch.fft.fftfreq(height, device=device), torch.fft.rfftfreq(width, device=device))
            indices = [(self.ring(frequencies), self.rings), *([(cells(frequencies), CELLS)] if self.directions else [])]
            count = len(rows) * len(columns)
            return self._features(*(means(power.flatten(1), index, parts, count) for index, parts in indices))

    def ring(self, frequencies: Frequencies) -> Int[Tensor, " frequencies"]:
        """Return the index of each frequency's ring."""
        return (2 * self.bins * frequencies.radius).long().clamp(max=self.rings - 1)

    def _features(self, ring_power: Float[Tensor, "b rings"], *cell_power: Float[Tensor, "b cells"]) -> Float[Tensor, "b features"]:
        rings = (torch.log(ring_power + FLOOR) - CENTRE) / SPREAD
        return torch.cat([rings, *(_second_harmonic(torch.log(power + FLOOR)) for power in cell_power)], dim=1)


class Frequencies(NamedTuple):
    """Of each coefficient of a Fourier transform, cycles/px: along the columns, along the rows, and its radius."""

    down: Float[Tensor, " n"]
    across: Float[Tensor, " n"]
    radius: Float[Tensor, " n"]

    @classmethod
    def of(cls, rows: Float[Tensor, " h"], columns: Float[Tensor, " w"]) -> Frequencies:
        """Return those of all coefficients, row by row. rows, columns: the frequencies along the columns and the rows."""
        down, across = rows[:, None].expand(-1, len(columns)), columns.expand(len(rows), -1)
        return cls(down.flatten(), across.flatten(), torch.hypot(down, across).flatten())


def cells(frequencies: Frequencies) -> Int[Tensor, " n"]:
    """Return the index of each frequency's band and sector; `CELLS` for one outside all bands."""
    edges = torch.tensor(BANDS, device=frequencies.radius.device)
    band = (frequencies.radius[:, None] >= edges).sum(dim=1) - 1
    angle = torch.atan2(frequencies.down, frequencies.across) / math.pi
    sector = torch.floor(angle * SECTORS + SECTORS + 0.5).long() % SECTORS
    inside = (band >= 0) & (band < len(BANDS) - 1)
    return torch.where(inside, band * SECTORS + sector, CELLS)


def means(power: Float[Tensor, "b n"], index: Int[Tensor, " n"], count: int, tiles: int = 1) -> Float[Tensor, "b count"]:
    """Return the mean power of all frequencies with the same index, for the indices below `count`. power: summed over the tiles."""
    members = power.new_zeros(count + 1).index_add(0, index, torch.ones_like(index, dtype=power.dtype))
    total = power.new_zeros(len(power), count + 1).index_add(1, index, power)
    return (total / (members.clamp(min=1) * tiles))[:, :count]


def _shares(index: Int[Tensor, " n"], count: int) -> Float[Tensor, "n count"]:
    """Return the matrix by which `means` is a product."""
    members = (index[:, None] == torch.arange(count)).float()
    return members / members.sum(dim=0).clamp(min=1)


def _second_harmonic(logs: Float[Tensor, "b cells"]) -> Float[Tensor, "b twice_the_bands"]:
    """Return the mean over the sectors of log power times cos(2 angle) and sin(2 angle), for each band."""
    angle = torch.arange(SECTORS, device=logs.device) * (2 * math.pi / SECTORS)
    by_sector = logs.view(-1, len(BANDS) - 1, SECTORS)
    return torch.cat([(by_sector * wave).mean(dim=2) for wave in (angle.cos(), angle.sin())], dim=1)


def _tile_starts(side: int, tile: int) -> list[int]:
    """Return where tiles start along an axis: evenly spaced from border to border, half a tile apart or less."""
    steps = max(0, -(-2 * (side - tile) // tile))
    return [round(k * (side - tile) / steps) for k in range(steps + 1)] if steps else [0]


def _hann(side: int, device: torch.device) -> Float[Tensor, " side"]:
    # Two samples longer, without the zeros at both ends, so that a picture of one pixel has a window too.
    return torch.hann_window(side + 2, periodic=False, device=device)[1:-1]
