"""What csrgan is timed beside must do the same thing, or the ratio means nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from csrgan.benchmarks import compositions
from csrgan.degradation.parameters import Parameters


def test_the_compositions_make_the_same_pictures(chelsea: Tensor) -> None:
    sharp = torch.stack([chelsea[0, :, :96, k : k + 96] for k in (0, 90)])
    theta = Parameters(torch.tensor([1.0, 6.0]), torch.tensor([1.5, 2.6]), torch.tensor([0.0, 0.02])).realised(96, 96)
    noise = torch.randn(sharp.shape)
    exact = compositions.banded(sharp, theta, noise, 7.0)
    torch.testing.assert_close(compositions.kornia_backend(sharp, theta, noise, 7.0), exact, atol=1e-4, rtol=0)
    torch.testing.assert_close(compositions.kornia(sharp, theta, noise, 7.0), exact, atol=1e-4, rtol=0)
    assert float((compositions.opencv(sharp, theta, noise, 7.0) - exact).abs().mean()) < 0.02
