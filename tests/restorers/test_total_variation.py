"""Total-variation deconvolution with a given degradation."""

from __future__ import annotations

from typing import Any

import pytest
import skimage.data
import torch
from composed import composed
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError
from csrgan.evaluation import metrics
from csrgan.restorers.total_variation import TotalVariation
from csrgan.restorers.wiener import Wiener

CHOSEN = {"oracle": "truth", "floor": 1e-5, "noise_weight": 3.0, "iterations": 40, "edge": 0.1}


def deconvolution(name: str, **settings: Any) -> TotalVariation:
    return TotalVariation(degradation=build(composed(f"degradation={name}")["degradation"]), **(CHOSEN | settings))


def test_with_noise_alone_it_is_chambolles_denoising(chelsea: Tensor) -> None:
    """Witness: scikit-image's dual algorithm, on a grey picture; its three colours count as one of a weight sqrt(3) times less."""
    grey = chelsea[:, :1, :120, :150] + 0.05 * torch.randn(1, 1, 120, 150, generator=torch.Generator().manual_seed(0))
    theta = Parameters(*(torch.tensor([value]) for value in (0.0, 1.0, 0.0)))
    low = grey.expand(1, 3, -1, -1).clamp(0, 1)
    result = deconvolution("readme", floor=0.1, iterations=300).restore_given(low, theta).image[0, 0]
    witness = torch.from_numpy(denoise_tv_chambolle(low[0, 0].numpy(), weight=0.1 / 3**0.5, eps=1e-8, max_num_iter=3000))
    inside = (slice(8, -8), slice(8, -8))  # the two extend the picture differently beyond the border
    assert (result - low[0, 0]).abs().mean() > 0.02
    torch.testing.assert_close(result[inside], witness[inside], atol=4e-3, rtol=0)


def test_it_gains_more_than_the_linear_filter_on_a_picture_with_edges() -> None:
    degradation = build(composed("degradation=readme")["degradation"])
    nonlinear, linear = deconvolution("readme"), Wiener(oracle="truth", floor=0.02, noise_weight=3000.0, degradation=degradation)
    sharp = torch.from_numpy(skimage.data.coffee()[:200, :260].copy()).permute(2, 0, 1)[None] / 255
    cells = degradation.prior.grid(blur=2, scale=1, noise=1).realised(200, 260)
    gains = []
    for index in range(len(cells)):
        cell = cells[index : index + 1]
        noise = torch.randn(sharp.shape, generator=torch.Generator().manual_seed(index))
        low = degrade(sharp, cell, noise=noise, spec=nonlinear.degradation.spec)
        quality = [metrics.psnr(system.restore_given(low, cell).image, sharp) for system in (nonlinear, linear)]
        gains.append(quality[0] - quality[1])
    assert min(gains) > 0.5


def test_kernels_that_are_not_isotropic_are_an_error() -> None:
    with pytest.raises(UserError, match=r"TotalVariation undoes an isotropic Gaussian.*choose system=wiener"):
        deconvolution("srmd_x2")
