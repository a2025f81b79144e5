"""The Wiener filter with a given degradation."""

from __future__ import annotations

import pytest
import torch
from composed import composed
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import cubic_response
from csrgan.errors import UserError
from csrgan.evaluation import metrics
from csrgan.restorers.wiener import Wiener, mirrored


def wiener(name: str, **settings: float) -> Wiener:
    degradation = build(composed(f"degradation={name}")["degradation"])
    return Wiener(degradation=degradation, **({"oracle": "truth", "floor": 0.2, "noise_weight": 3000.0} | settings))


def theta(blur_std: float, scale: float = 1.0, noise_std: float = 0.0) -> Parameters:
    return Parameters(*(torch.tensor([value]) for value in (blur_std, scale, noise_std)))


def test_on_a_mirrored_picture_the_blur_is_a_product_on_the_spectrum(chelsea: Tensor) -> None:
    filter_ = wiener("readme")
    for std in (0.0, 0.8, 3.0, 40.0):
        blurred = degrade(chelsea, theta(std), spec=filter_.degradation.spec)
        image = mirrored(chelsea)
        height, width = image.shape[-2:]
        response = filter_.response(theta(std), height, width)
        result = torch.fft.irfft2(torch.fft.rfft2(image) * response[:, None], s=(height, width))
        torch.testing.assert_close(result[..., : chelsea.shape[2], : chelsea.shape[3]], blurred, atol=1e-4, rtol=0)


def test_without_noise_the_picture_comes_back(chelsea: Tensor) -> None:
    filter_ = wiener("readme", floor=1e-9)
    low = degrade(chelsea, theta(1.0), spec=filter_.degradation.spec)
    assert metrics.psnr(filter_.restore_given(low, theta(1.0)).image, chelsea) > 50
    assert metrics.psnr(low, chelsea) < 34


def test_the_frequency_response_of_the_cubic() -> None:
    """Its first zero lies at 1; witness: the kernel sampled at the integers is a single 1, so that its copies add up to 1."""
    f = torch.linspace(0, 0.5, 11)
    copies = sum(cubic_response(f + k) for k in range(-30, 31))
    torch.testing.assert_close(copies, torch.ones(11), atol=1e-2, rtol=0)
    torch.testing.assert_close(cubic_response(torch.tensor([0.0, 1.0])), torch.tensor([1.0, 0.0]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["readme", "as_coded", "gaussian8_x4", "srmd_x2", "div2krk_x2"])
def test_it_gains_on_every_protocol_and_a_wrong_blur_costs(name: str, chelsea: Tensor) -> None:
    filter_ = wiener(name)
    sharp = chelsea[..., :296, :440]
    cells = build(composed(f"degradation={name}")["degradation"]).prior.grid(blur=2, scale=1, noise=2).realised(296, 440)
    gains, wrong = [], []
    for index in range(len(cells)):
        cell = cells[index : index + 1]
        low = degrade(sharp, cell, noise=torch.randn(sharp.shape), spec=filter_.degradation.spec)
        step = sharp.shape[-1] // low.shape[-1]
        before = torch.nn.functional.interpolate(low, scale_factor=step, mode="bicubic", antialias=True) if step > 1 else low
        gains.append(metrics.psnr(filter_.restore_given(low, cell).image, sharp) - metrics.psnr(before, sharp))
        other = Parameters(cell.blur_std + 2, cell.scale, cell.noise_std)
        wrong.append(metrics.psnr(filter_.restore_given(low, other).image, sharp) - metrics.psnr(before, sharp))
    assert sum(gains) / len(gains) > 0.3
    assert sum(wrong) < sum(gains)


def test_a_prediction_needs_a_system_that_predicts() -> None:
    with pytest.raises(UserError, match="name its run as checkpoint=RUN_FOLDER"):
        wiener("readme", oracle="prediction").restore(torch.rand(1, 3, 20, 20))
    with pytest.raises(UserError, match=r"Wiener.oracle has no truht.*Did you mean truth"):
        wiener("readme", oracle="truht")
