"""Sensor noise against Poisson draws by NumPy, and against the operator's own noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import csrgan
from csrgan.degradation.factors.sensor import ReadNoise, ShotNoise
from csrgan.degradation.operator import redegraded
from csrgan.degradation.parameters import NAMES, Parameters

SENSOR = {"shot_noise": ShotNoise(low=0.0, high=0.02), "read_noise": ReadNoise(low=0.0, high=0.03)}


def protocol(**more: object) -> csrgan.Degradation:
    return csrgan.Degradation(factors=SENSOR, **more)  # type: ignore[arg-type]


def theta(shot: list[float], read: list[float], scale: float = 1.0, noise: float = 0.0) -> Parameters:
    count = len(shot)
    own = {"blur_std": torch.zeros(count), "scale": torch.full((count,), scale), "noise_std": torch.full((count,), noise)}
    return Parameters.of(own | {"shot_noise": torch.tensor(shot), "read_noise": torch.tensor(read)})


def test_mean_and_variance_are_those_of_photons_and_electronics() -> None:
    shot, read = 0.004, 0.02
    levels = torch.tensor([0.2, 0.4, 0.6, 0.8])
    flat = levels[:, None, None, None].expand(4, 3, 160, 160)
    parameters, made = theta([shot] * 4, [read] * 4), protocol()
    low = made.degrade(flat, parameters, made.noise(tuple(flat.shape), parameters, seeds=[1, 2, 3, 4])).double()
    generator = np.random.default_rng(0)
    for level, picture in zip(levels.tolist(), low, strict=True):
        photons = generator.poisson(level / shot, picture.shape) * shot + generator.normal(0, read, picture.shape)
        assert float(picture.mean()) == pytest.approx(photons.mean(), abs=1e-3)
        assert float(picture.var()) == pytest.approx(photons.var(), rel=0.04)
        assert float(picture.var()) == pytest.approx(shot * level + read**2, rel=0.04)
    red, green = (low[0, channel].flatten() - low[0, channel].mean() for channel in (0, 1))
    assert abs(float((red * green).mean())) < 0.03 * float(red.var())
    assert abs(float((red[1:] * red[:-1]).mean())) < 0.03 * float(red.var())


def test_it_is_the_noise_of_the_pixels_of_the_small_picture() -> None:
    """Read noise is what the operator's own noise is, so the same draws give the same L."""
    sharp, draws = torch.rand(2, 3, 60, 48), torch.randn(2, 9, 60, 48)
    draws[:, 6:] = draws[:, :3]
    own = theta([0.0, 0.0], [0.0, 0.0], 2.5, 0.02)
    electronic = theta([0.0, 0.0], [0.02, 0.02], 2.5)
    plain = csrgan.Degradation().degrade(sharp, own, draws[:, :3])
    torch.testing.assert_close(protocol().degrade(sharp, electronic, draws), plain, atol=1e-6, rtol=0)
    differentiable = protocol().degrade(sharp.clone().requires_grad_(), electronic, draws)
    torch.testing.assert_close(differentiable, plain, atol=2e-6, rtol=0)


@pytest.mark.parametrize("backend", ["banded", "kornia"])
@pytest.mark.parametrize("output", ["upsampled", "native"])
def test_0_changes_nothing_and_each_picture_has_its_own(backend: str, output: str) -> None:
    settings = {"backend": backend, "output": output, "scale": {"low": 2.0, "high": 2.0}}
    made, plain = protocol(**settings), csrgan.Degradation(**settings)  # type: ignore[arg-type]
    sharp, parameters = torch.rand(3, 3, 32, 40), theta([0.0, 0.01, 0.02], [0.0, 0.0, 0.01], 2.0, 0.01)
    draws = made.noise(tuple(sharp.shape), parameters, seeds=[4, 5, 6])
    low, without = made.degrade(sharp, parameters, draws), plain.degrade(sharp, parameters, draws[:, :3])
    torch.testing.assert_close(low[0], without[0], atol=1e-7, rtol=0)
    assert float((low[1:] - without[1:]).abs().mean()) > 0.005
    for k in range(3):
        alone = made.noise((1, 3, 32, 40), parameters[k : k + 1], seeds=[4 + k])
        assert torch.equal(alone, draws[k : k + 1])
        torch.testing.assert_close(made.degrade(sharp[k : k + 1], parameters[k : k + 1], alone), low[k : k + 1])


def test_the_noise_of_older_protocols_does_not_change() -> None:
    parameters = theta([0.01, 0.01], [0.01, 0.0], 2.0, 0.01)
    more = protocol().noise((2, 3, 16, 16), parameters, seeds=[1, 2])
    assert torch.equal(more[:, :3], csrgan.Degradation().noise((2, 3, 16, 16), parameters, seeds=[1, 2]))
    assert more.shape == (2, 9, 16, 16)
    assert not more[1, 6:].any() and not more[:, :, 8:].any()  # only what is used is drawn
    assert not torch.equal(more[0, 3:6], more[0, 6:])
    assert protocol().noise((2, 3, 16, 16), parameters.to("meta"), "meta").shape == more.shape


def test_it_has_gradients_and_none_without_draws() -> None:
    sharp, number = torch.rand(2, 3, 8, 8, dtype=torch.float64), torch.tensor([0.01, 0.004], dtype=torch.float64)
    noise = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    shot = SENSOR["shot_noise"]
    inputs = (sharp.clamp(min=0.1).requires_grad_(), number.requires_grad_())
    assert torch.autograd.gradcheck(lambda images, each: shot.change(images, each, noise=noise), inputs)
    none = torch.zeros(2, requires_grad=True)
    shot.change(sharp.float().requires_grad_(), none, noise=noise.float()).sum().backward()
    assert none.grad is not None and bool(none.grad.isfinite().all())
    parameters = theta([0.01, 0.01], [0.01, 0.01], 1.5)
    plain = redegraded(sharp.float(), parameters, spec=csrgan.Degradation().spec)
    assert torch.equal(redegraded(sharp.float(), parameters, spec=protocol().spec), plain)


def test_kornia_replays_it_and_noise_that_does_not_fit_is_a_user_error() -> None:
    made, sharp = protocol(), torch.rand(2, 3, 24, 24)
    low = made(sharp)
    assert torch.equal(made(sharp, params=made._params), low)
    assert made.labels.names == (*NAMES, "shot_noise", "read_noise")
    with pytest.raises(csrgan.UserError, match=r"noise, shot_noise, read_noise need 3 channels each, so 9"):
        made.degrade(sharp, made.labels, torch.randn(2, 3, 24, 24))


def test_the_same_seed_gives_the_same_picture() -> None:
    sharp = torch.rand(3, 3, 32, 32)
    one, again, other = (csrgan.degrade(sharp, protocol(), seed=seed).image for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)
