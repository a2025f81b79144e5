"""A loss: a function of the system's loss inputs, by name (restored, sharp, low, theta, ...); its settings come after the star."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor


def fft(restored: Tensor, sharp: Tensor, *, power: Annotated[float, "(0,2]"] = 1.0) -> Tensor:
    """Mean absolute difference, to a power, of the Fourier spectra of S and H, (b, 3, h, w) in [0,1]."""
    difference = torch.fft.rfft2(restored.float() - sharp.float(), norm="ortho").abs()
    return (difference + 1e-8).pow(power).mean()
