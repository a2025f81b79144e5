"""Data steps toward a picture that degrades to L: against a dense solution in float64; their gradients with respect to theta^."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from composed import composed
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import linear
from csrgan.degradation.parameters import low_sizes
from csrgan.errors import UserError
from csrgan.networks import heads, output, upsampling
from csrgan.networks.generator import Generator
from csrgan.networks.spectral import Spectral
from csrgan.networks.unfolded import Unfolded

README = {
    "blur": {"low": 0.0, "high": 50.0, "uniform_in": "variance"},
    "scale": {"low": 1.0, "high": 3.0},
    "noise": {"low": 0.0, "high": 0.04},
}
FEW = {"width": 8, "levels": 1, "middle_blocks": 1, "unshuffle": 2, "upsampling": upsampling.transposed}
HEAD = partial(heads.Bottleneck, hidden=8, stop_gradient=False)
THETA = torch.tensor([[0.05, 0.3, 0.2], [0.2, 0.0, 0.5]])  # variance 2.5 and 10 px^2, scale 1.6 and 1


def unfolded(**settings: Any) -> Unfolded:
    first = Spectral(spectrum_bins=8, spectrum_tile=32, gains=8, hidden=8)
    changed = {"degradation": Degradation(**README), "stages": 1, "data_steps": 3, "detach": False} | settings
    return Unfolded(first=first, **changed, **FEW)


def dense(body: Unfolded, side: int) -> list[Tensor]:
    """A_theta of one channel of side x side pixels as a matrix in float64, for each theta."""
    parameters = body.prior.denormalise(THETA)
    basis = torch.eye(side * side).view(1, side * side, side, side).expand(2, -1, -1, -1)
    found = linear(basis, parameters, spec=body.spec, sizes=low_sizes(side, side, parameters.scale))
    return [one.flatten(1).T.double() for one in found]


def test_the_step_solves_its_equation() -> None:
    body, side = unfolded(data_steps=200), 12
    image, low, strength = torch.rand(2, 3, side, side), torch.rand(2, 3, side, side), torch.tensor([0.05, 0.2])
    found = body.data_step(image, low, THETA, strength)
    for k, a in enumerate(dense(body, side)):
        left = a.T @ a + strength[k].double() * torch.eye(side * side, dtype=torch.float64)
        right = a.T @ low[k].flatten(1).double().T + strength[k] * image[k].flatten(1).double().T
        expected = torch.linalg.solve(left, right).T.view(3, side, side)
        torch.testing.assert_close(found[k].double(), expected, atol=2e-4, rtol=0)


def test_a_few_data_steps_approach_l_and_zero_steps_change_nothing(chelsea: Tensor) -> None:
    sharp = chelsea[..., :96, :80].expand(2, -1, -1, -1)
    body = unfolded()
    parameters = body.prior.denormalise(THETA)
    sizes = low_sizes(96, 80, parameters.scale)
    low = linear(sharp, parameters, spec=body.spec, sizes=sizes)

    def away(image: Tensor) -> Tensor:
        return (linear(image, parameters, spec=body.spec, sizes=sizes) - low).square().mean(dim=(1, 2, 3))

    found = body.data_step(low, low, THETA, torch.full((2,), 1e-3))
    assert bool((away(found) < 0.1 * away(low)).all())
    assert bool(((found - sharp).square().mean(dim=(1, 2, 3)) < 0.7 * (low - sharp).square().mean(dim=(1, 2, 3))).all())
    body._data_steps = 0
    assert torch.equal(body.data_step(low, low, THETA, torch.full((2,), 1e-3)), low)


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("stages", [1, 2])
def test_the_losses_of_s_train_the_prediction_unless_it_is_detached(detach: bool, stages: int) -> None:
    body = unfolded(detach=detach, stages=stages)
    one = Generator(body, output.residual, HEAD, None, ["blur_std", "scale", "noise_std"], variance=False)
    found = one(torch.rand(2, 3, 37, 30))
    assert found.image.shape == (2, 3, 37, 30)
    reached = torch.autograd.grad(found.image.square().sum(), one.head.read[-1].bias, allow_unused=True)[0]
    if detach:
        assert reached is None
    else:
        assert bool((reached[:2] != 0).all())  # blur and scale; A does not know the noise


def test_a_prediction_outside_the_prior_keeps_a_gradient() -> None:
    body = unfolded()
    theta = torch.tensor([[1.4, -0.3, 0.5]], requires_grad=True)
    image, low = torch.rand(1, 3, 24, 24), torch.rand(1, 3, 24, 24)
    found = body.data_step(image, low, theta, torch.full((1,), 0.05))
    assert bool((torch.autograd.grad(found.square().sum(), theta)[0][0, :2] != 0).all())


@pytest.mark.parametrize(
    ("head", "predicted"), [(None, ["scale"]), (HEAD, []), (partial(heads.DecoderMean, stop_gradient=False), ["scale"])]
)
def test_unfolding_without_an_early_prediction_is_a_user_error(head: object, predicted: list[str]) -> None:
    with pytest.raises(UserError, match="generator needs a prediction before the picture is made"):
        Generator(unfolded(), output.residual, head, None, predicted, variance=False)


def test_a_kernel_that_theta_does_not_describe_is_refused() -> None:
    with pytest.raises(UserError, match="choose generator=spectral_unet"):
        unfolded(degradation=build(composed("degradation=div2krk_x2")["degradation"]))


@pytest.mark.parametrize("name", ["gaussian8_x2", "as_coded"])
def test_other_protocols_are_unfolded_too(name: str) -> None:
    degradation = build(composed(f"degradation={name}")["degradation"])
    one = Generator(unfolded(degradation=degradation), output.residual, HEAD, None, ["blur_std"], variance=False)
    low = torch.rand(1, 3, 40, 32)
    found = one(low).image
    assert found.shape == low.shape
    assert bool(torch.isfinite(found).all())
