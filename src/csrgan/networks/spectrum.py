"""The radial log-spectrum of a picture: where a blur, an up-sampling and a noise floor show at a glance."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

FLOOR = 1e-7  # power added before the logarithm, far below one 8-bit step
CENTRE, SPREAD = -6.0, 4.0  # of photographs' log power, so that the features are of order one


class RadialLogSpectrum(nn.Module):
    """Log power spectrum averaged over colours and over rings of equal frequency.

    bins: rings up to the Nyquist frequency, 0.5 cycles/px; the corners beyond it add a quarter as many. The rings are the
    same for every picture size. A Hann window keeps the border out.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.features = bins + bins // 4

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        height, width = image.shape[-2:]
        device = image.device
        # Two samples longer, without its zeros at the ends, so that a picture of one pixel has a window too.
        across, down = (torch.hann_window(side + 2, periodic=False, device=device)[1:-1] for side in (width, height))
        window = down[:, None] * across
        window = window / window.square().sum().sqrt().clamp(min=1e-6)
        with torch.autocast(device.type, enabled=False):
            centred = image.float() - image.float().mean(dim=(2, 3), keepdim=True)
            power = torch.fft.rfft2(centred * window).abs().square().mean(dim=1)
            frequency = torch.hypot(torch.fft.fftfreq(height, device=device)[:, None], torch.fft.rfftfreq(width, device=device))
            ring = (2 * self.bins * frequency).long().clamp(max=self.features - 1).flatten()
            members = torch.zeros(self.features, device=device).index_add(0, ring, torch.ones_like(ring, dtype=torch.float32))
            total = torch.zeros(len(image), self.features, device=device).index_add(1, ring, power.flatten(1))
            return (torch.log(total / members.clamp(min=1) + FLOOR) - CENTRE) / SPREAD
