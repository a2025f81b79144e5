"""init_from keeps the meaning of theta^, whatever the ranges of the new training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from composed import choices
from systems import made
from torch import Tensor, nn

from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError

WIDER = ("degradation.blur.high=80", "degradation.blur.low=2", "degradation.scale.high=4", "degradation.noise.high=0.1")


def without_zeros(system: Any) -> Any:
    """Fill weights that are initialised with zeros, which would hide an error, as a training does."""
    for network in (system.generator, system.ema):
        torch.manual_seed(1)
        for weight in network.parameters():
            if not weight.any():
                nn.init.normal_(weight, std=0.02)
        head = network.head.last
        nn.init.constant_(head.bias, 0.5)
    return system


def values(parameters: Parameters) -> Tensor:
    return torch.stack([parameters.blur_std, parameters.scale, parameters.noise_std * 255], dim=1)


@pytest.fixture
def low(chelsea: Tensor) -> Tensor:
    return torch.cat([chelsea[..., :64, :64], chelsea[..., 100:164, 200:264]])


@pytest.mark.parametrize("head", [name for name in choices("parameter_head") if name != "none"])
@pytest.mark.parametrize("loss", ["mse", "nll"])
def test_theta_in_physical_units_stays_the_same(head: str, loss: str, low: Tensor) -> None:
    words = (f"parameter_head={head}", f"loss/parameters={loss}")
    one, other = without_zeros(made("csrgan", *words)[0]), made("csrgan", *words, *WIDER)[0]
    before = one.restorer.restore(low)
    assert other.init_from(one)
    after = other.restorer.restore(low)
    assert torch.allclose(values(after.parameters), values(before.parameters), atol=1e-4)
    assert torch.equal(after.image, before.image)
    assert not torch.allclose(
        one.ema.predict_parameters(low)[0], other.ema.predict_parameters(low)[0], atol=0.01
    )  # the units are others
    if before.spread:
        assert torch.allclose(values(after.spread), values(before.spread), rtol=0.05, atol=1e-3)


def test_a_condition_on_theta_works_as_before(low: Tensor) -> None:
    one, other = without_zeros(made("csrgan", "condition=film")[0]), made("csrgan", "condition=film", *WIDER)[0]
    before = one.restorer.restore(low)
    assert other.init_from(one)
    after = other.restorer.restore(low)
    assert torch.allclose(after.image, before.image, atol=1e-5)
    assert torch.allclose(values(after.parameters), values(before.parameters), atol=1e-4)
    with torch.no_grad():
        other.ema.condition.tune.read[0].bias += 0.1
    assert not torch.allclose(other.restorer.restore(low).image, before.image, atol=1e-5)  # it does depend on theta^


def test_the_same_ranges_change_no_weight() -> None:
    one, other = without_zeros(made("csrgan")[0]), made("csrgan")[0]
    assert other.init_from(one)
    weights = one.ema.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in other.generator.state_dict().items())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("degradation=wide",), "degradation.blur.uniform_in=value: .* choose degradation.blur.uniform_in=variance"),
        (("degradation.predicted=[scale,blur_std,noise_std]",), "degradation.predicted=.*predicts"),
    ],
)
def test_units_that_cannot_be_converted_are_an_error(words: tuple[str, ...], message: str) -> None:
    one, other = made("csrgan")[0], made("csrgan", *words)[0]
    with pytest.raises(UserError, match=message):
        other.init_from(one)


@pytest.mark.parametrize("name", ["srmd", "dan"])
def test_a_network_that_takes_codes_needs_the_same_ranges(name: str) -> None:
    one, other = made(name)[0], made(name, "degradation.scale.high=4")[0]
    with pytest.raises(UserError, match="takes scale in units of the prior"):
        other.init_from(one)
    assert made(name)[0].init_from(one)


def test_a_network_that_predicts_nothing_takes_any_ranges() -> None:
    words = ("parameter_head=none", "loss/parameters=none")
    assert made("csrgan", *words, *WIDER)[0].init_from(made("csrgan", *words)[0])


class Opaque(nn.Module):
    """A user's head without a known last layer."""

    def forward(self, low: Tensor, features: Any) -> Tensor:
        return low.mean(dim=(2, 3))


def test_a_users_head_that_cannot_be_converted_is_an_error() -> None:
    one, other = made("csrgan")[0], made("csrgan", *WIDER)[0]
    for system in (one, other):
        for network in (system.generator, system.ema):
            network.head = Opaque()
    with pytest.raises(UserError, match="parameter_head=Opaque cannot adapt to other ranges of degradation"):
        other.init_from(one)


def test_the_discriminator_starts_afresh_whatever_the_other_one_is() -> None:
    one, other = made("csrgan", "discriminator=patch")[0], made("csrgan", "discriminator=vgg")[0]
    before = {name: weight.clone() for name, weight in other.discriminator.state_dict().items()}
    assert other.init_from(without_zeros(one))
    assert all(torch.equal(weight, before[name]) for name, weight in other.discriminator.state_dict().items())
    assert all(torch.equal(weight, one.ema.state_dict()[name]) for name, weight in other.generator.state_dict().items())
