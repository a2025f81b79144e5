"""High-frequency energy of a picture."""

from __future__ import annotations

import math

import torch

from csrgan.evaluation.metrics.luma import luma
from csrgan.evaluation.metrics.metric import Metric, Picture


def hf_ratio(image: Picture, sharp: Picture) -> float:
    """Return the energy of luma above 0.25 cycles/px as a ratio to the sharp picture's: below 1 is smoother, above 1 has detail or
    noise that H lacks; nan if the sharp picture has no such energy."""
    true = _high_frequency_energy(sharp)
    return _high_frequency_energy(image) / true if true > 0 else math.nan


def _high_frequency_energy(image: Picture) -> float:
    y = luma(image.double(), 0)
    height, width = y.shape[-2:]
    # The window keeps the jump between opposite borders out of the spectrum.
    down, across = (torch.hann_window(side + 2, periodic=False, dtype=y.dtype, device=y.device)[1:-1] for side in (height, width))
    power = torch.fft.fft2((y - y.mean()) * down[:, None] * across).abs().square()
    rows, columns = (torch.fft.fftfreq(side, dtype=y.dtype, device=y.device) for side in (height, width))
    return float(power[..., torch.hypot(rows[:, None], columns) > 0.25].sum())


DETAIL = Metric(hf_ratio, heading="high-frequency energy (1 best)", short="HF ratio", digits=2, best=1.0)
