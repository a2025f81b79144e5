"""The Wiener filter with a given degradation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from composed import composed
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.operator import degrade, redegraded
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import cubic_response
from csrgan.errors import UserError
from csrgan.evaluation import metrics
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.total_variation import TotalVariation
from csrgan.restorers.wiener import Wiener, kernel_response, mirrored


def wiener(name: str, **settings: float) -> Wiener:
    degradation = build(composed(f"degradation={name}")["degradation"])
    return Wiener(degradation=degradation, **({"oracle": "truth", "floor": 0.02, "noise_weight": 3000.0} | settings))


def theta(blur_std: float, scale: float = 1.0, noise_std: float = 0.0) -> Parameters:
    return Parameters(*(torch.tensor([value]) for value in (blur_std, scale, noise_std)))


def test_on_a_mirrored_picture_the_blur_is_a_product_on_the_spectrum(chelsea: Tensor) -> None:
    filter_ = wiener("readme")
    for std in (0.0, 0.8, 3.0, 40.0):
        blurred = degrade(chelsea, theta(std), spec=filter_.degradation.spec)
        image = mirrored(chelsea)
        height, width = image.shape[-2:]
        response, folded, enlarging = filter_.responses(theta(std), height, width)
        result = torch.fft.irfft2(torch.fft.rfft2(image) * response[:, None], s=(height, width))
        torch.testing.assert_close(result[..., : chelsea.shape[2], : chelsea.shape[3]], blurred, atol=1e-4, rtol=0)
        assert (folded == 0).all() and (enlarging == 1).all()  # nothing is down-sampled


@pytest.mark.parametrize(("name", "scale"), [("bicubic_x2", 2.0), ("bicubic_x3", 3.0), ("div2krk_x2", 2.0)])
def test_it_is_the_linear_estimate_of_least_error(name: str, scale: float) -> None:
    """Witness: C A^T (A C A^T + N)^-1 of NumPy in float64, A from single pixels through the degradation, C the covariance of fields
    with the filter's spectrum. The two see other pictures beyond the border, so what lies inside counts."""
    filter_, side, inner = wiener(name), 36, slice(12, 24)
    cell = filter_.degradation.prior.grid(blur=1, scale=1, noise=1).realised(side, side)[:1]
    pixels = torch.eye(side**2).reshape(side**2, 1, side, side).expand(-1, 3, -1, -1)
    many = cell[torch.zeros(side**2, dtype=torch.long)]
    forward = (
        redegraded(pixels, many, spec=filter_.degradation.spec)[:, 0].flatten(1).double().numpy().T
    )  # pixels of L x pixels of H
    frequency = np.fft.fftfreq(8 * side)
    power = 1 / np.maximum(frequency[:, None] ** 2 + frequency**2, 1e-3)
    covariance = np.fft.ifft2(power).real
    row, column = (index.ravel() for index in np.mgrid[:side, :side])
    prior = covariance[np.subtract.outer(row, row), np.subtract.outer(column, column)]
    noise = filter_.floor / scale**2  # variance of a pixel of L: its spectrum is s^2 times as dense
    data = forward @ prior @ forward.T + noise * np.eye(len(forward))
    random, fields = np.random.default_rng(0), 24
    sharp = np.linalg.cholesky(prior + 1e-9 * np.eye(side**2)) @ random.standard_normal((side**2, fields))
    low = forward @ sharp + noise**0.5 * random.standard_normal((len(forward), fields))
    best = prior @ forward.T @ np.linalg.solve(data, low)
    grey = 0.5 + 0.01 * torch.from_numpy(low.T.reshape(fields // 3, 3, side // int(scale), side // int(scale))).float()
    result = filter_.deconvolve(enlarged(grey, filter_.enlarge), cell[torch.zeros(fields // 3, dtype=torch.long)])
    own = (result.flatten(2).flatten(0, 1).double().numpy().T - 0.5) / 0.01
    errors = [((flat - sharp).reshape(side, side, fields)[inner, inner] ** 2).mean() for flat in (best, own)]
    assert errors[0] <= errors[1] < 1.005 * errors[0]


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


@pytest.mark.parametrize("name", ["bicubic_x2", "bicubic_x3", "bicubic_x4", "gaussian8_x2", "gaussian8_x4"])
@pytest.mark.parametrize("kind", [Wiener, TotalVariation])
def test_told_filters_gain_where_down_sampling_aliases(kind: type[Wiener], name: str, chelsea: Tensor) -> None:
    """Down-sampling folds what weak blurs leave; a filter that does not know it falls behind bicubic enlargement."""
    filter_ = kind(degradation=build(composed(f"degradation={name}")["degradation"]))
    sharp = chelsea[..., :144, :192]
    cell = filter_.degradation.prior.grid(blur=1, scale=1, noise=1).realised(144, 192)[:1]
    low = degrade(sharp, cell, bits=8, spec=filter_.degradation.spec)
    assert metrics.psnr(filter_.restore_given(low, cell).image, sharp) > metrics.psnr(enlarged(low, filter_.enlarge), sharp)


def test_a_kernel_that_is_not_even_is_undone(chelsea: Tensor) -> None:
    """A shake to one side moves what lies there; a filter that knew the even half of the kernel alone would blur further."""
    shake = torch.zeros(1, 9, 9)
    shake[0, 4, 4:] = shake[0, 4:, 8] = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    filter_, sharp = wiener("div2krk_x2"), chelsea[..., :160, :200]
    given = replace(theta(1.0, 2.0), kernel=shake / shake.sum())
    low = degrade(sharp, given, spec=filter_.degradation.spec)
    gain = metrics.psnr(filter_.restore_given(low, given).image, sharp) - metrics.psnr(enlarged(low, 2), sharp)
    assert gain > 3


def test_a_prediction_needs_a_system_that_predicts() -> None:
    with pytest.raises(UserError, match="name its run as checkpoint=RUN_FOLDER"):
        wiener("readme", oracle="prediction").restore(torch.rand(1, 3, 20, 20))
    with pytest.raises(UserError, match=r"Wiener.oracle has no truht.*Did you mean truth"):
        wiener("readme", oracle="truht")


def test_a_kernel_has_a_response_in_a_picture_of_one_column() -> None:
    kernel = torch.rand(1, 5, 5)
    parameters = replace(theta(1.0), kernel=kernel / kernel.sum())
    found = kernel_response(parameters, torch.fft.fftfreq(4)[None], torch.fft.rfftfreq(1)[None], 1, (0, 0), 0.0)
    assert found.shape == (1, 4, 1)
    assert found[0, 0, 0] == pytest.approx(1)
