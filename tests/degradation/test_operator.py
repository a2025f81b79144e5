"""The degradation against independent witnesses in float64: SciPy for the blur, Pillow and torch for bicubic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate1d
from torch import Tensor

from csrgan.degradation.kernels import effective_std, gaussian_taps
from csrgan.degradation.operator import _together, axis, degrade
from csrgan.degradation.parameters import Parameters, low_size


def parameters(std: float, scale: float, noise: float = 0.0, count: int = 1) -> Parameters:
    return Parameters(*(torch.full((count,), float(value)) for value in (std, scale, noise)))


def scipy_blur(picture: np.ndarray, std: float, size: int | None = None) -> np.ndarray:
    """Gaussian blur of (c, h, w) by SciPy, mirror border without repeating the edge."""
    radius = math.ceil(4 * np.float32(std)) if size is None else size // 2
    distance = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (distance / std) ** 2) if std else (distance == 0).astype(float)
    taps /= taps.sum()
    if picture.shape[1] > 1:
        picture = correlate1d(picture, taps, axis=1, mode="mirror")
    return correlate1d(picture, taps, axis=2, mode="mirror") if picture.shape[2] > 1 else picture


def pillow_bicubic(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic resize of (c, h, w) by Pillow in float32, one channel at a time."""
    channels = [
        Image.fromarray(channel.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC) for channel in picture
    ]
    return np.stack([np.asarray(channel, np.float64) for channel in channels])


def witness(picture: np.ndarray, std: float, scale: float, size: int | None = None) -> np.ndarray:
    height, width = picture.shape[1:]
    blurred = scipy_blur(picture, std, size)
    low = pillow_bicubic(blurred, round(height / scale), round(width / scale))
    return pillow_bicubic(low, height, width).clip(0, 1)


@pytest.mark.parametrize("std", [0, 0.3, 1, 3, 7.07, 20, 50])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 100), (129, 64)])
def test_blur_equals_scipy(std: float, height: int, width: int) -> None:
    picture = torch.rand(1, 3, height, width)
    expected = scipy_blur(picture[0].double().numpy(), std)
    np.testing.assert_allclose(degrade(picture, parameters(std, 1))[0].double().numpy(), expected, atol=2e-6)


@pytest.mark.parametrize("scale", [1, 1.37, 2, 2.9, 3])
@pytest.mark.parametrize("std", [0, 0.3, 3, 7.07, 50])
def test_chain_equals_scipy_and_pillow(chelsea: Tensor, std: float, scale: float) -> None:
    picture = chelsea[:, :, :113, :64].contiguous()
    expected = witness(picture[0].double().numpy(), std, scale)
    assert np.abs(degrade(picture, parameters(std, scale))[0].double().numpy() - expected).max() < 1e-4


@pytest.mark.parametrize(("size", "scale"), [(64, 1.0), (97, 2.37), (5, 5.0), (2000, 2.736)])
def test_resampling_equals_torch(size: int, scale: float) -> None:
    few = round(size / scale)
    made = axis(torch.ones(1, 1, dtype=torch.float64), torch.tensor([scale]), size, size, max_scale=size / few)
    for matrix, before, after in ((made.down[0, :few], size, few), (made.up[0, :, :few], few, size)):
        line = torch.rand(1, 1, 1, before, dtype=torch.float64)
        expected = torch.nn.functional.interpolate(line, size=(1, after), mode="bicubic", antialias=True)[0, 0, 0]
        torch.testing.assert_close(matrix @ line[0, 0, 0], expected, atol=1e-12, rtol=0)
    assert not made.down[0, few:].any()
    assert not made.up[0, :, few:].any()


def test_no_blur_and_scale_one_is_the_identity_to_the_bit(chelsea: Tensor) -> None:
    assert torch.equal(degrade(chelsea, parameters(0, 1)), chelsea)


def test_a_batch_equals_its_pictures_one_by_one(chelsea: Tensor) -> None:
    pictures = torch.stack([chelsea[0, :, k : k + 64, k : k + 96] for k in range(4)])
    theta = Parameters(
        torch.tensor([0.0, 1.0, 4.0, 30.0]), torch.tensor([1.0, 1.5, 3.0, 2.2]), torch.tensor([0.0, 0.02, 0.0, 0.01])
    )
    noise = torch.randn(pictures.shape)
    together = degrade(pictures, theta, noise=noise)
    for k in range(4):
        alone = degrade(pictures[k : k + 1], theta[k : k + 1], noise=noise[k : k + 1])
        torch.testing.assert_close(together[k : k + 1], alone, atol=1e-6, rtol=0)


def test_noise_has_the_labelled_strength_and_is_drawn_at_low_resolution() -> None:
    flat = torch.full((1, 3, 600, 600), 0.5)
    noise = torch.randn(flat.shape)
    same_size = degrade(flat, parameters(3, 1, 0.03), noise=noise) - 0.5
    assert abs(float(same_size.var() / 0.03**2) - 1) < 0.02
    assert abs(float(same_size.mean())) < 1e-4
    red, green, _ = same_size[0].flatten(1)
    assert abs(float((red * green).mean())) / 0.03**2 < 0.01
    # Up-sampled noise is smooth: neighbours agree, which they do not where the noise was added afterwards.
    smooth = degrade(flat, parameters(0, 3, 0.03), noise=noise) - 0.5
    assert float((smooth[..., 1:] * smooth[..., :-1]).mean() / smooth.square().mean()) > 0.7
    assert float((same_size[..., 1:] * same_size[..., :-1]).mean() / same_size.square().mean()) < 0.05


def test_truncated_kernel_and_rounding(chelsea: Tensor) -> None:
    picture = chelsea[:, :, :64, :64].contiguous()
    low = degrade(picture, parameters(20, 1), kernel_size=15, bits=8)
    assert torch.equal(low * 255, (low * 255).round())
    expected = scipy_blur(picture[0].double().numpy(), 20, 15)
    assert np.abs(low[0].double().numpy() - expected).max() < 0.5 / 255 + 1e-5
    taps = gaussian_taps(torch.tensor([5.0, 50.0]), kernel_size=15)
    torch.testing.assert_close(effective_std(taps), torch.tensor([3.71, 4.31]), atol=0.01, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_blur_wider_than_the_picture_is_legal(size: int) -> None:
    line = torch.rand(1, 3, size, size)
    found = degrade(line, parameters(50, 1))[0].double().numpy()
    np.testing.assert_allclose(found, scipy_blur(line[0].double().numpy(), 50), atol=1e-6)


def test_the_scale_that_is_told_is_the_one_that_is_realised() -> None:
    theta = Parameters(*(torch.tensor([value, value]) for value in (1.0, 1.37, 0.0)))
    assert low_size(128, theta.scale).tolist() == [93, 93]
    torch.testing.assert_close(theta.realised(128, 128).scale, torch.full((2,), 128 / 93))
    assert float(theta.realised(300, 451).scale[0]) == pytest.approx(math.sqrt(300 / 219 * 451 / 329))


def test_it_is_differentiable_in_the_picture_and_in_the_blur() -> None:
    picture = torch.rand(1, 1, 9, 8, dtype=torch.float64, requires_grad=True) * 0.5 + 0.25
    std = torch.tensor([1.3], dtype=torch.float64, requires_grad=True)
    scale, noise = torch.tensor([1.6], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda h, s: degrade(h, Parameters(s, scale, noise)), (picture, std))


@pytest.mark.parametrize(("std", "scale"), [(0.0, 1.0), (3.0, 2.2), (20.0, 1.37)])
def test_the_batched_products_of_a_gpu_equal_the_blocks_of_a_cpu(chelsea: Tensor, std: float, scale: float) -> None:
    for picture in (chelsea, chelsea[..., :64, :65]):
        theta = parameters(std, scale, 0.02)
        noise = torch.randn(picture.shape)
        together = _together(picture, theta, noise, kernel_size=None, max_std=25.0, max_scale=3.0)
        torch.testing.assert_close(degrade(picture, theta, noise=noise), together, atol=2e-6, rtol=0)


def test_blocks_leave_nothing_of_the_band_out() -> None:
    for size, scale, std in ((513, 2.9, 7.07), (300, 1.0, 50.0), (257, 1.37, 0.3), (129, 3.0, 20.0), (131, 129 / 2, 1.0)):
        picture = torch.rand(1, 1, size, 200, dtype=torch.float64)
        theta = Parameters(*(torch.tensor([value], dtype=torch.float64) for value in (std, scale, 0.0)))
        together = _together(picture, theta, None, kernel_size=None, max_std=std, max_scale=scale)
        torch.testing.assert_close(degrade(picture, theta), together, atol=1e-12, rtol=0)


def test_the_adjoint_is_that_of_the_operator() -> None:
    # In the middle of the range nothing is clipped, so the chain is affine there: its gradient is the adjoint.
    theta = parameters(2.0, 1.6)
    base = torch.full((1, 3, 60, 47), 0.5)
    x, v = (0.01 * torch.randn(base.shape) for _ in range(2))
    picture = (base + x).requires_grad_()
    (adjoint,) = torch.autograd.grad(degrade(picture, theta), picture, v)
    forward = degrade(base + x, theta) - degrade(base, theta)
    assert float((forward * v).sum()) == pytest.approx(float((x * adjoint).sum()), rel=1e-3, abs=1e-6)
