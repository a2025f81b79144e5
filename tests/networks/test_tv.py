"""Total variation as tensors: its transform beside SciPy's, its equation beside the filters that are given theta."""

from __future__ import annotations

import pytest
import scipy.fft
import torch
from composed import composed
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.evaluation import metrics
from csrgan.networks.tv import Cosine, Responses, _adjoint, _gradient, linear, minimised, responses
from csrgan.restorers.total_variation import TotalVariation
from csrgan.restorers.wiener import Wiener


def degradation(name: str) -> Degradation:
    found: Degradation = build(composed(f"degradation={name}")["degradation"])
    return found


def theta(std: float, scale: float, noise: float) -> Parameters:
    return Parameters(*(torch.tensor([value]) for value in (std, scale, noise)))


@pytest.mark.parametrize("size", [(1, 7), (2, 2), (9, 6), (31, 31)])
def test_the_transform_is_scipys(size: tuple[int, int]) -> None:
    image = torch.rand(1, 2, *size)
    transform = Cosine(image)
    if min(size) > 1:  # SciPy's needs two pixels
        witness = scipy.fft.dctn(image.double().numpy(), type=1, axes=(-2, -1))
        torch.testing.assert_close(transform(image).double(), torch.from_numpy(witness), atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(transform(transform(image), inverse=True), image)


def test_the_transform_of_a_large_picture_is_exact() -> None:
    image = torch.rand(1, 1, 3, 2000)
    witness = torch.from_numpy(scipy.fft.dctn(image.double().numpy(), type=1, axes=(-2, -1)))
    assert float((Cosine(image)(image) - witness).abs().max() / witness.abs().max()) < 1e-6


def test_the_adjoint_of_the_gradient_on_a_mirrored_picture() -> None:
    """<gradient x, y> = <x, adjoint y> over a period of the mirrored picture, where all but the first and last occur twice."""
    x, y = torch.rand(1, 2, 7, 9, dtype=torch.float64), torch.rand(2, 1, 2, 7, 9, dtype=torch.float64)
    y[0, ..., -1, :] = y[1, ..., -1] = 0  # as in every gradient
    often = [torch.tensor([1.0, *[2.0] * (side - 2), 1.0], dtype=torch.float64) for side in (7, 9)]
    picture = often[0][:, None] * often[1]
    down, across = 2 * often[1].expand(7, 9), 2 * often[0][:, None].expand(7, 9)
    gradient = _gradient(x)
    torch.testing.assert_close((gradient[0] * y[0] * down + gradient[1] * y[1] * across).sum(), (x * _adjoint(y) * picture).sum())


@pytest.mark.parametrize("name", ["readme", "gaussian8_x4"])
@pytest.mark.parametrize(("std", "scale"), [(0.0, 1.0), (1.0, 2.0), (3.0, 2.7), (2.0, 4.0)])
def test_the_responses_are_those_of_the_wiener_filter(name: str, std: float, scale: float) -> None:
    """What folds farther than 1/s is left out here: a hundredth of the greatest power that folds onto a frequency."""
    given, parameters = degradation(name), theta(std, scale, 0.0)
    found = responses(parameters, given.spec, torch.zeros(1, 3, 40, 33))
    witness = Responses(*(r[:, None, :40] for r in Wiener(degradation=given).responses(parameters, 2 * 39, 2 * 32)))
    torch.testing.assert_close(found.own, witness.own, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.enlarging, witness.enlarging, atol=1e-5, rtol=0)
    seen = (witness.own * witness.enlarging).abs() > 0.05
    left_out = (found.folded - witness.folded).abs()[seen].max()
    assert float(left_out) <= 0.01 * float(witness.folded.max())


def test_the_linear_estimate_is_the_wiener_filters(chelsea: Tensor) -> None:
    given, parameters = degradation("readme"), theta(2.0, 2.0, 0.01)
    low = degrade(chelsea[..., :90, :120], parameters, noise=torch.randn(1, 3, 90, 120), spec=given.spec)
    noise = torch.full((1, 1, 1, 1), 0.02 + 3000 * (0.01 * 2) ** 2)
    found = linear(low, responses(parameters, given.spec, low), noise, Cosine(low))
    witness = Wiener(degradation=given).deconvolve(low, parameters)
    torch.testing.assert_close(found, witness, atol=2e-3, rtol=0)


def test_many_steps_come_to_the_least_whatever_they_begin_with_and_six_come_close(chelsea: Tensor) -> None:
    given, parameters = degradation("readme"), theta(2.0, 2.0, 0.01)
    sharp = chelsea[..., 60:156, 100:220]
    low = degrade(sharp, parameters, noise=torch.randn(1, 3, 96, 120), spec=given.spec)
    found, strength = responses(parameters, given.spec, low), torch.full((1, 1, 1, 1), 1e-5 + 3 * (0.01 * 2) ** 2)
    first = linear(low, found, torch.full((1, 1, 1, 1), 0.02 + 3000 * (0.01 * 2) ** 2), Cosine(low))
    least = minimised(low, found, strength, Cosine(low), start=low, edges=[0.1] * 1000)
    other = minimised(low, found, strength, Cosine(low), start=first, edges=[0.2] * 500 + [0.05] * 1000)
    torch.testing.assert_close(other, least, atol=2e-3, rtol=0)
    witness = TotalVariation(degradation=given, iterations=1000).deconvolve(low, parameters)
    torch.testing.assert_close(least, witness, atol=2e-3, rtol=0)
    few = minimised(low, found, strength, Cosine(low), start=first, edges=[0.5 * 0.1 ** (step / 5) for step in range(6)])
    quality = [float(metrics.psnr(image.clamp(0, 1), sharp)) for image in (low, few, least)]
    assert quality[1] - quality[0] > 0.9 * (quality[2] - quality[0]) > 0.5


def test_it_is_computed_where_l_is_without_asking_the_device() -> None:
    given, low = degradation("readme"), torch.empty(2, 3, 40, 50, device="meta")
    parameters = Parameters(*(torch.empty(2, device="meta") for _ in range(3)))
    found, strength, transform = responses(parameters, given.spec, low), torch.empty(2, 1, 1, 1, device="meta"), Cosine(low)
    start = linear(low, found, strength, transform)
    assert minimised(low, found, strength, transform, start=start, edges=[0.5, 0.05]).device.type == "meta"
