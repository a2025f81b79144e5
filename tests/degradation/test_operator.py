"""The degradation against independent witnesses in float64, and the laws of the operator."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
import torch
import witness
from torch import Tensor

from csrgan.degradation import resample
from csrgan.degradation.kernel_priors import rotated_gaussian
from csrgan.degradation.kernels import correlate, effective_std, even_response, gaussian_taps
from csrgan.degradation.noise import standard_normal
from csrgan.degradation.operator import adjoint, along_axes, degrade, degrade_batched, linear
from csrgan.degradation.parameters import Parameters, low_size, low_sizes
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import UserError

STDS = (0, 0.3, 1, 3, 7.07, 20, 50)
SCALES = (1, 1.37, 2, 2.9, 3)


def parameters(std: float, scale: float, noise: float = 0.0, count: int = 1) -> Parameters:
    return Parameters(*(torch.full((count,), float(value)) for value in (std, scale, noise)))


def rotated(size: int, shift: float = 0.0) -> Tensor:
    """An uneven, rotated kernel without any symmetry."""
    kernel = rotated_gaussian(np.array([6.0]), np.array([1.5]), np.array([0.6]), size, shift)
    kernel = kernel * (1 + 0.25 * np.random.default_rng(3).uniform(-1, 1, kernel.shape))
    return torch.from_numpy(kernel / kernel.sum()).float()


def assert_equals(found: Tensor, expected: np.ndarray, atol: float = 1e-4) -> None:
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found[0].double().numpy(), expected, atol=atol, rtol=0)


@pytest.mark.parametrize("std", STDS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 100), (129, 64), (64, 513)])
def test_blur_equals_scipy(std: float, height: int, width: int) -> None:
    picture = torch.rand(1, 3, height, width)
    assert_equals(degrade(picture, parameters(std, 1)), witness.blur(picture[0].double().numpy(), std), atol=2e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (113, 64), (97, 255), (512, 65)])
def test_chain_equals_scipy_and_pillow(chelsea: Tensor, height: int, width: int) -> None:
    sharp = torch.rand(1, 3, height, width) if height > chelsea.shape[2] else chelsea[:, :, :height, :width].contiguous()
    for std, scale in product(STDS, SCALES):
        expected = witness.chain(sharp[0].double().numpy(), std, scale)
        assert_equals(degrade(sharp, parameters(std, scale)), expected)


def test_a_large_picture_equals_scipy_and_pillow() -> None:
    sharp = torch.rand(1, 1, 513, 512)
    for std, scale in ((0.3, 1.37), (7.07, 2.9), (50, 3)):
        assert_equals(degrade(sharp, parameters(std, scale)), witness.chain(sharp[0].double().numpy(), std, scale))


@pytest.mark.parametrize("output", ["upsampled", "native"])
@pytest.mark.parametrize("downsampling", ["bicubic", "direct"])
@pytest.mark.parametrize("kernel", ["gaussian", "cut", "own"])
@pytest.mark.parametrize("backend", ["banded", "kornia"])
def test_every_chain_equals_its_witness(chelsea: Tensor, output: str, downsampling: str, kernel: str, backend: str) -> None:
    chain = DegradationSpec(kernel_size=11 if kernel == "cut" else None, downsampling=downsampling, output=output, backend=backend)
    for scale, std in product((2, 3, 4), (0, 0.7, 2.5)):
        sharp = chelsea[:, :, : 24 * scale, : 31 * scale].contiguous()
        own = rotated(13, (scale - 1) / 2) if kernel == "own" else None
        theta = Parameters(**(vars(parameters(std, scale)) | {"kernel": own}))
        expected = witness.chain(sharp[0].double().numpy(), std, scale, chain, None if own is None else own[0].double().numpy())
        assert_equals(degrade(sharp, theta, spec=chain), expected)


def test_direct_down_sampling_does_not_move_the_picture() -> None:
    line = torch.linspace(0.2, 0.8, 96).expand(1, 3, 96, 96)
    for scale in (2, 3, 4):
        low = degrade(line, parameters(3, scale), spec=DegradationSpec(downsampling="direct", output="native"))
        centres = (torch.arange(96 // scale) + 0.5) * scale - 0.5
        inner = slice(6, -6)  # a border mirrors the slope
        torch.testing.assert_close(low[0, 0, 10, inner], 0.2 + 0.6 * centres[inner] / 95, atol=1e-5, rtol=0)


@pytest.mark.parametrize("downsampling", ["bicubic", "direct"])
def test_both_backends_give_the_same_picture(chelsea: Tensor, downsampling: str) -> None:
    """Each with its own parameters and noise, the blur up to wider than the picture."""
    sharp = torch.stack([chelsea[0, :, k : k + 90, k : k + 120] for k in range(5)])
    scale = [1.0, 1.37, 2.0, 2.9, 3.0] if downsampling == "bicubic" else [3.0] * 5
    theta = Parameters(torch.tensor([0, 0.3, 7.07, 20, 50]), torch.tensor(scale), torch.tensor([0, 0.01, 0.02, 0.03, 0.04]))
    noise = torch.randn(sharp.shape)
    banded, kornia = (
        degrade(sharp, theta, noise=noise, spec=DegradationSpec(downsampling=downsampling, backend=backend))
        for backend in ("banded", "kornia")
    )
    torch.testing.assert_close(banded, kornia, atol=1e-4, rtol=0)


def test_no_blur_and_scale_one_is_the_identity_to_the_bit(chelsea: Tensor) -> None:
    for backend in ("banded", "kornia"):
        assert torch.equal(degrade(chelsea, parameters(0, 1), spec=DegradationSpec(backend=backend)), chelsea)


@pytest.mark.parametrize("size", [64, 160])
def test_a_batch_equals_its_pictures_one_by_one(chelsea: Tensor, size: int) -> None:
    pictures = torch.stack([chelsea[0, :, k : k + size, k : k + size + 32] for k in range(4)])
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
    low = degrade(picture, parameters(20, 1), bits=8, spec=DegradationSpec(kernel_size=15))
    assert torch.equal(low * 255, (low * 255).round())
    assert_equals(low, witness.blur(picture[0].double().numpy(), 20, 15), atol=0.5 / 255 + 1e-5)
    taps = gaussian_taps(torch.tensor([5.0, 50.0]), kernel_size=15)
    torch.testing.assert_close(effective_std(taps), torch.tensor([3.71, 4.31]), atol=0.01, rtol=0)


def test_gradients_pass_the_rounding_as_if_there_were_none(chelsea: Tensor) -> None:
    picture, asked = (chelsea[:, :, :32, :32].clone().requires_grad_(gradients) for gradients in (True, False))
    low = degrade(picture, parameters(2, 1), bits=8)
    assert torch.equal(low, degrade(asked, parameters(2, 1), bits=8))
    weights = torch.rand(low.shape)
    (gradient,) = torch.autograd.grad((low * weights).sum(), picture)
    (plain,) = torch.autograd.grad((degrade(picture, parameters(2, 1)) * weights).sum(), picture)
    torch.testing.assert_close(gradient, plain)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_blur_wider_than_the_picture_is_legal(size: int) -> None:
    line = torch.rand(1, 3, size, size)
    for backend in ("banded", "kornia"):
        assert_equals(
            degrade(line, parameters(50, 1), spec=DegradationSpec(backend=backend)),
            witness.blur(line[0].double().numpy(), 50),
            1e-5,
        )
    own = Parameters(**(vars(parameters(1, 1)) | {"kernel": rotated(31)}))
    assert_equals(degrade(line, own), witness.blur_by(line[0].double().numpy(), rotated(31)[0].double().numpy()), 1e-6)


def test_the_label_is_the_realised_scale() -> None:
    theta = Parameters(*(torch.tensor([value, value]) for value in (1.0, 1.37, 0.0)))
    assert low_size(128, theta.scale).tolist() == [93, 93]
    torch.testing.assert_close(theta.realised(128, 128).scale, torch.full((2,), 128 / 93))
    assert float(theta.realised(300, 451).scale[0]) == pytest.approx(math.sqrt(300 / 219 * 451 / 329))


def test_it_is_differentiable_in_the_picture_and_in_every_parameter() -> None:
    generator = torch.Generator().manual_seed(2)
    picture = torch.rand(2, 1, 7, 6, dtype=torch.float64, generator=generator) * 0.5 + 0.25
    noise = torch.randn(2, 1, 7, 6, dtype=torch.float64, generator=generator)
    values = [torch.tensor(pair, dtype=torch.float64) for pair in ([1.3, 0.6], [1.6, 2.3], [0.01, 0.02])]
    sizes = low_sizes(7, 6, values[1])

    def degraded(sharp: Tensor, std: Tensor, scale: Tensor, noise_std: Tensor) -> Tensor:
        return degrade(sharp, Parameters(std, scale, noise_std), noise=noise, sizes=sizes)

    inputs = tuple(value.requires_grad_() for value in (picture, *values))
    assert torch.autograd.gradcheck(degraded, inputs)
    gradients = torch.autograd.grad(degraded(*inputs).square().sum(), inputs)
    assert all(bool((gradient != 0).any()) for gradient in gradients)  # the scale's too
    # Where the sizes follow from the scale, in steps, nothing depends on the scale smoothly; the rest is as before.
    rest = torch.autograd.gradcheck(
        lambda h, s, n: degrade(h, Parameters(s, values[1], n), noise=noise), (inputs[0], inputs[1], inputs[3])
    )
    assert rest


def test_it_is_differentiable_in_a_kernel() -> None:
    kernel = rotated(5).double().requires_grad_()
    picture = (torch.rand(1, 1, 8, 8, dtype=torch.float64) * 0.5 + 0.25).requires_grad_()
    one = torch.ones(1, dtype=torch.float64)
    for output in ("upsampled", "native"):
        chain = DegradationSpec(downsampling="direct", output=output)
        assert torch.autograd.gradcheck(
            lambda h, k, c=chain: degrade(h, Parameters(one, 2 * one, 0 * one, k), spec=c), (picture, kernel)
        )


def test_giving_the_sizes_that_the_scale_implies_changes_nothing(chelsea: Tensor) -> None:
    theta = parameters(2.0, 1.37).realised(300, 300)
    sharp = chelsea[..., :300, :300]
    given = degrade(sharp, theta, sizes=low_sizes(300, 300, theta.scale))
    torch.testing.assert_close(given, degrade(sharp, theta), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("std", "scale"), [(0.0, 1.0), (3.0, 2.2), (20.0, 1.37)])
def test_the_batched_products_of_a_gpu_equal_the_blocks_of_a_cpu(chelsea: Tensor, std: float, scale: float) -> None:
    for picture in (chelsea, chelsea[..., :64, :65]):
        theta = parameters(std, scale, 0.02)
        noise = torch.randn(picture.shape)
        together = degrade_batched(picture, theta, noise, DegradationSpec(max_std=25.0, max_scale=3.0), None).clamp(0, 1)
        torch.testing.assert_close(degrade(picture, theta, noise=noise), together, atol=2e-6, rtol=0)


@pytest.mark.parametrize("chain", [{}, {"output": "native", "downsampling": "direct", "kernel_size": 11}])
def test_the_batched_products_read_no_value_back_from_the_device(chain: dict) -> None:
    """Tensors on the device `meta` have shapes and no values: asking for one raises."""
    theta = Parameters(*(torch.empty(4, device="meta") for _ in range(3)))
    sharp, kernels = torch.empty(4, 3, 64, 80, device="meta"), torch.empty(4, 11, 11, device="meta")
    bounded = DegradationSpec(**chain, max_std=7.0, max_scale=2.0)
    low = degrade_batched(correlate(sharp, kernels), theta, standard_normal(tuple(sharp.shape), theta, "meta"), bounded, None)
    assert low.shape == ((4, 3, 32, 40) if bounded.output == "native" else sharp.shape)
    with pytest.raises(RuntimeError, match="meta"):  # without the bounds it must ask
        degrade_batched(sharp, theta, None, DegradationSpec(**chain), None)


def test_blocks_cover_the_whole_band() -> None:
    cases = ((513, 2.9, 7.07), (300, 1.0, 50.0), (257, 1.37, 0.3), (129, 3.0, 20.0), (131, 129 / 2, 1.0), (516, 3.0, 2.0))
    for size, scale, std in cases:
        picture = torch.rand(1, 1, size, 200, dtype=torch.float64)
        theta = Parameters(*(torch.tensor([value], dtype=torch.float64) for value in (std, scale, 0.0)))
        for chain in (DegradationSpec(), DegradationSpec(downsampling="direct")):
            if chain.downsampling == "direct" and (scale != round(scale) or size % scale):
                continue
            together = degrade_batched(picture, theta, None, chain, None)
            torch.testing.assert_close(linear(picture, theta, spec=chain), together, atol=1e-12, rtol=0)


@pytest.mark.parametrize("backend", ["banded", "kornia"])
@pytest.mark.parametrize(
    ("std", "scale", "chain"),
    [
        (2.0, 1.6, {}),
        (0.0, 3.0, {}),
        (50.0, 2.9, {}),
        (7.0, 2.0, {"kernel_size": 15, "output": "native"}),
        (2.0, 4.0, {"downsampling": "direct", "output": "native"}),
    ],
)
def test_the_adjoint_satisfies_its_identity(std: float, scale: float, chain: dict, backend: str) -> None:
    for own in (None, rotated(9).expand(2, -1, -1)):
        theta = Parameters(**(vars(parameters(std, scale, count=2)) | {"kernel": own}))
        constants = DegradationSpec(**chain, backend=backend)
        x = torch.randn(2, 3, 60, 48)
        forward = linear(x, theta, spec=constants)
        v = torch.randn(forward.shape)
        back = adjoint(v, theta, 60, 48, spec=constants)
        norms = float(forward.double().norm() * v.double().norm())
        assert abs(float((forward.double() * v).sum() - (x.double() * back).sum())) < 1e-5 * norms


def test_the_adjoint_is_differentiable() -> None:
    std = torch.tensor([1.2], dtype=torch.float64, requires_grad=True)
    one = torch.ones(1, dtype=torch.float64)
    low = torch.rand(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    native = DegradationSpec(output="native")
    assert torch.autograd.gradcheck(lambda v, s: adjoint(v, Parameters(s, 2 * one, 0 * one), 8, 10, spec=native), (low, std))


def test_two_matrices_are_the_operator_and_its_adjoint(chelsea: Tensor) -> None:
    sharp = chelsea[..., :90, :70].expand(2, -1, -1, -1)
    parameters = Parameters(torch.tensor([0.0, 3.0]), torch.tensor([1.7, 2.6]), torch.zeros(2))
    sizes = low_sizes(90, 70, parameters.scale)
    down, across = (one[:, None] for one in along_axes(parameters, 90, 70, sizes))
    torch.testing.assert_close(down @ sharp @ across.mT, linear(sharp, parameters, sizes=sizes), atol=1e-5, rtol=0)
    back = down.mT @ sharp @ across
    torch.testing.assert_close(back, adjoint(sharp, parameters, 90, 70, sizes=sizes), atol=1e-5, rtol=0)


def test_an_unknown_choice_is_a_user_error() -> None:
    with pytest.raises(UserError, match=r"degradation\.output has no nativ\..*Did you mean native\?"):
        DegradationSpec(output="nativ")


@pytest.mark.parametrize("backend", ["banded", "kornia"])
@pytest.mark.parametrize("downsampling", ["area", "bilinear"])
def test_other_ways_to_shrink_are_pillows(downsampling: str, backend: str) -> None:
    """At scales that split pixels, and at whole ones, where an end of the box lies on a pixel's middle or between two."""
    sharp = torch.rand(1, 3, 90, 131)
    chain = DegradationSpec(downsampling=downsampling, backend=backend)
    for scale in (1, 1.2, 1.37, 1.5, 2, 2.5, 2.9, 3, 4, 30):
        expected = witness.chain(sharp[0].double().numpy(), 0.8, scale, chain)
        assert_equals(degrade(sharp, parameters(0.8, scale), spec=chain), expected, 1e-5)
        native = DegradationSpec(downsampling=downsampling, backend=backend, output="native")
        assert_equals(
            degrade(sharp, parameters(0, scale), spec=native), witness.chain(sharp[0].double().numpy(), 0, scale, native), 1e-5
        )


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_area_is_opencvs_at_whole_scales(scale: int) -> None:
    sharp = torch.rand(1, 3, 24 * scale, 17 * scale)
    expected = cv2.resize(sharp[0].permute(1, 2, 0).numpy(), (17, 24), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    assert_equals(degrade(sharp, parameters(0, scale), spec=DegradationSpec(downsampling="area", output="native")), expected, 1e-6)


@pytest.mark.parametrize("backend", ["banded", "kornia"])
def test_matlab_shrinks_as_imresize_does_up_to_the_border(backend: str) -> None:
    chain = DegradationSpec(downsampling="matlab", backend=backend, output="native")
    sharp = torch.rand(1, 3, 132, 204)
    for scale in (1, 2, 3, 4, 12):
        expected = witness.imresize(sharp[0].double().numpy(), 132 // scale, 204 // scale).clip(0, 1)
        assert_equals(degrade(sharp, parameters(0, scale), spec=chain), expected, 1e-5)
        pillows = degrade(sharp, parameters(0, scale), spec=replace(chain, downsampling="bicubic"))
        inner = (..., slice(2, -2), slice(2, -2))
        assert_equals(pillows[inner], expected[inner], 1e-5)
        assert scale == 1 or np.abs(pillows[0].numpy() - expected).max() > 0.01  # Pillow forgets what lies outside
    odd = sharp[..., :131, :61]  # a scale that is not whole, and a large picture, whose matrices are multiplied in blocks
    assert_equals(degrade(odd, parameters(0, 2.9), spec=chain), witness.imresize(odd[0].double().numpy(), 45, 21).clip(0, 1), 1e-5)


@pytest.mark.parametrize("downsampling", ["area", "bilinear", "matlab"])
def test_other_ways_to_shrink_keep_the_laws_of_the_operator(downsampling: str) -> None:
    chain, theta = DegradationSpec(downsampling=downsampling), parameters(1.1, 2.3, 0.01, count=2)
    sharp, noise = torch.rand(2, 3, 150, 61), torch.randn(2, 3, 150, 61)
    together = degrade_batched(sharp, theta, noise, chain, None).clamp(0, 1)
    torch.testing.assert_close(degrade(sharp, theta, noise=noise, spec=chain), together, atol=2e-6, rtol=0)
    forward, v = linear(sharp, theta, spec=chain).double(), torch.randn(2, 3, 150, 61)
    back = adjoint(v, theta, 150, 61, spec=chain).double()
    assert abs(float((forward * v).sum() - (sharp.double() * back).sum())) < 1e-5 * float(forward.norm() * v.norm())
    flat = degrade(torch.full((2, 1, 40, 50), 0.4), theta, spec=chain)
    torch.testing.assert_close(flat, torch.full_like(flat, 0.4))
    assert torch.equal(degrade(sharp, parameters(0, 1, count=2), spec=chain), sharp)


@pytest.mark.parametrize("downsampling", ["bicubic", "matlab", "bilinear", "area", "direct"])
def test_the_frequency_response_is_that_of_the_kernel(downsampling: str) -> None:
    """A wave shrunk by 8 has the amplitude that `response` says."""
    frequency = torch.tensor([0.0, 0.1, 0.3, 0.45], dtype=torch.float64)  # cycles a pixel of L
    position = torch.arange(1024, dtype=torch.float64) + 0.5
    waves = 0.5 + 0.4 * torch.cos(2 * torch.pi * frequency[:, None] / 8 * position)
    theta = Parameters(*(torch.full((4,), value, dtype=torch.float64) for value in (0.0, 8.0, 0.0)))
    low = linear(waves[:, None, None].expand(-1, 1, 8, -1), theta, spec=DegradationSpec(downsampling=downsampling, output="native"))
    small = torch.cos(2 * torch.pi * frequency[:, None] * (torch.arange(128, dtype=torch.float64) + 0.5))
    inner = slice(8, -8)
    amplitude = ((low[:, 0, 0] - 0.5) * small)[:, inner].sum(dim=1) / small[:, inner].square().sum(dim=1)
    expected = resample.response(downsampling, frequency)
    if downsampling == "direct":  # a mean of two neighbours: the wave keeps its phase
        expected = expected * torch.cos(torch.pi * frequency / 8)
    torch.testing.assert_close(amplitude / 0.4, expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_the_response_of_a_shifted_gaussian_is_that_of_one_about_its_own_centre(shift: float) -> None:
    """Witness: exp(-2 (pi std f)^2). About the middle tap, the response would be less, and change its sign."""
    f = torch.linspace(0, 0.5, 21)
    taps = gaussian_taps(torch.tensor([1.5, 2.0]), shift=shift)
    expected = torch.exp(-2 * (math.pi * torch.tensor([[1.5], [2.0]]) * f) ** 2)
    torch.testing.assert_close(even_response(taps, f, shift), expected, atol=2e-4, rtol=0)
