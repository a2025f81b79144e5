"""The radial log-spectrum of a picture, in which blur, up-sampling and noise floor are visible."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

FLOOR = 1e-7  # power added before the logarithm, far below that of one 8-bit step
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
        height, width = (min(side, self.tile) for side in image.shape[-2:])
        rows, columns = (_tile_starts(side, self.tile) for side in image.shape[-2:])
        device = image.device
        with torch.autocast(device.type, enabled=False):
            image = image.float()
            window = _hann(height, device)[:, None] * _hann(width, device)
            window = window / window.square().sum().sqrt().clamp(min=1e-6)
            power = image.new_zeros(len(image), height, width // 2 + 1)
            for top in rows:
                row = torch.stack([image[..., top : top + height, left : left + width] for left in columns], dim=1)
                centred = row - row.mean(dim=(3, 4), keepdim=True)
                power = power + torch.fft.rfft2(centred * window).abs().square().mean(dim=2).sum(dim=1)
            ring = self._rings(height, width, device)
            members = torch.zeros(self.features, device=device).index_add(0, ring, torch.ones_like(ring, dtype=torch.float32))
            total = torch.zeros(len(image), self.features, device=device).index_add(1, ring, power.flatten(1))
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
