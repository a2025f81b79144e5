"""The radial log-spectrum of a picture, in which blur, up-sampling and noise floor are visible."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from csrgan.networks import portable
from csrgan.networks.source import InMemory, Source, whole

FLOOR = 1e-7  # power added before the logarithm, far below that of one 8-bit step
TOGETHER = 64  # tiles whose spectra are computed at once
CENTRE, SPREAD = -6.0, 4.0  # of the log power of photographs; scales the features to order one


class RadialLogSpectrum(nn.Module):
    """Log power spectrum averaged over colours, over rings of equal frequency and over tiles (Welch 1967).

    bins: rings up to the Nyquist frequency, 0.5 cycles/px; the corners beyond it add a quarter as many.
    tile: side of the tiles, px, which overlap by half or more; a smaller picture is one tile. The lowest frequencies depend on the
    side of the tile, so whole photographs are read in tiles of the size of the training crops.
    """

    def __init__(self, bins: int, tile: int) -> None:
        super().__init__()
        self.bins, self.tile = bins, tile
        self.features = bins + bins // 4

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        return self.read(InMemory(image))

    def _exported(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        return (portable.log_power(image, self.tile, self.bins, self.features, FLOOR) - CENTRE) / SPREAD

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
            ring = self._rings(height, width, device)
            members = torch.zeros(self.features, device=device).index_add(0, ring, torch.ones_like(ring, dtype=torch.float32))
            total = torch.zeros(len(strip), self.features, device=device).index_add(1, ring, power.flatten(1))
            mean = total / (members.clamp(min=1) * len(rows) * len(columns))
            return (torch.log(mean + FLOOR) - CENTRE) / SPREAD

    def _rings(self, height: int, width: int, device: torch.device) -> Int[Tensor, " frequencies"]:
        frequency = torch.hypot(torch.fft.fftfreq(height, device=device)[:, None], torch.fft.rfftfreq(width, device=device))
        return (2 * self.bins * frequency).long().clamp(max=self.features - 1).flatten()


def _tile_starts(side: int, tile: int) -> list[int]:
    """Return where tiles start along an axis: evenly spaced from border to border, half a tile apart or less."""
    steps = max(0, -(-2 * (side - tile) // tile))
    return [round(k * (side - tile) / steps) for k in range(steps + 1)] if steps else [0]


def _hann(side: int, device: torch.device) -> Float[Tensor, " side"]:
    # Two samples longer, without the zeros at both ends, so that a picture of one pixel has a window too.
    return torch.hann_window(side + 2, periodic=False, device=device)[1:-1]
