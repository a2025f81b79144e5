from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from csrgan.degradation.factors.jpeg import JPEG
from csrgan.degradation.factors.motion import Motion
from csrgan.degradation.factors.second import Second
from csrgan.degradation.factors.sensor import ReadNoise
from csrgan.degradation.factors.sharpening import Sharpening
from csrgan.degradation.kernel_priors import Mixed
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import NINETY, Prior
from csrgan.degradation.uniform import Uniform
from csrgan.errors import UserError

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}
CONSTANT = {"scale": {"low": 1, "high": 1}, "noise": {"low": 0, "high": 0}}


def test_the_variance_is_uniform_where_the_protocol_says_so() -> None:
    drawn = Prior(**README).sample(np.random.default_rng(0), 20_000)
    quantiles = torch.linspace(0.1, 0.9, 9)
    torch.testing.assert_close(torch.quantile(drawn.blur_std**2, quantiles), 50 * quantiles, atol=0.6, rtol=0)
    torch.testing.assert_close(torch.quantile(drawn.scale, quantiles), 1 + 2 * quantiles, atol=0.03, rtol=0)
    torch.testing.assert_close(torch.quantile(drawn.noise_std, quantiles), 10 / 255 * quantiles, atol=1e-3, rtol=0)


def test_the_mean_is_the_mean_of_the_draws() -> None:
    prior = Prior(**README)
    drawn = prior.sample(np.random.default_rng(1), 50_000)
    torch.testing.assert_close(drawn.stack().mean(dim=0), prior.mean().stack()[0], rtol=0.01, atol=0)


def test_network_units_are_uniform_over_the_prior_and_invertible() -> None:
    prior = Prior(**README)
    drawn = prior.sample(np.random.default_rng(2), 4_000)
    theta = prior.normalise(drawn)
    assert theta.min() >= 0
    assert theta.max() <= 1
    torch.testing.assert_close(theta.mean(dim=0), torch.full((3,), 0.5), atol=0.02, rtol=0)
    torch.testing.assert_close(prior.denormalise(theta).stack(), drawn.stack(), atol=1e-3, rtol=1e-3)


def test_an_answer_far_outside_the_prior_still_has_a_meaning() -> None:
    found = Prior(**README).denormalise(torch.tensor([[-3.0, -3.0, -3.0]]))
    assert torch.isfinite(found.stack()).all()
    assert (found.blur_std >= 0).all()
    assert (found.noise_std >= 0).all()


FACTORS = {
    "jpeg_quality": JPEG(low=60, high=95, absent=0.3),
    "motion": Motion(low=1, high=12),
    "read_noise": ReadNoise(low=0.001, high=0.01),
    "second": Second(blur={"low": 0.1, "high": 1}, scale={"low": 1.1, "high": 2}, noise={"low": 0.01, "high": 0.02}),
    "sharpening": Sharpening(low=0.2, high=1.0),
}
POSSIBLE = {
    **{"blur_std": (0, math.inf), "scale": (1, math.inf), "noise_std": (0, 1), "jpeg_quality": (1, 100)},
    **{"motion_length": (0, math.inf), "read_noise": (0, 1), "sharpening": (0, math.inf)},
    **{"second_blur_std": (0, math.inf), "second_scale": (1, math.inf), "second_noise_std": (0, 1)},
}


def test_what_is_shown_of_a_prediction_is_possible_and_may_lie_outside_the_prior() -> None:
    """Values and both ends of intervals; standard deviations are of what the network says, and an interval that is kept within
    what is possible holds the same true values as before."""
    more = {name: each for key, factor in FACTORS.items() for name, each in zip(factor.names(key), factor.ranges, strict=True)}
    predicted = ("blur_std", "scale", "noise_std", "jpeg_quality", "read_noise", "sharpening", "second_scale", "second_noise_std")
    predicted += ("second_blur_std", "motion_0", "motion_45")
    axes = {"motion": ("motion_length", "motion_angle")}
    prior = Prior(**README, more=more, axes=axes, predicted=predicted)
    theta = torch.linspace(-60, 60, 401)[:, None].expand(-1, len(predicted))
    std = torch.full_like(theta, 0.7)
    low, high = prior.interval(theta, std)
    spread = prior.spread(theta, std)
    for name, (least, most) in POSSIBLE.items():
        for shown in (prior.denormalise(theta), low, high):
            assert shown.number(name).min() >= least
            assert shown.number(name).max() <= most
    for name in ("scale", "jpeg_quality", "noise_std"):
        drawn = prior.ranges[name]
        torch.testing.assert_close(
            spread.number(name), torch.full((401,), 0.7 * (drawn.ends[1] - drawn.ends[0])), rtol=1e-3, atol=0
        )
        plain = [drawn.physical(theta[:, 0] + sign * NINETY * 0.7) for sign in (-1, 1)]
        for true in torch.linspace(*drawn.bounds, 7)[1:-1]:
            inside = (low.number(name) <= true) & (true <= high.number(name))
            assert (inside == ((plain[0] <= true) & (true <= plain[1]))).all()
    assert float(prior.denormalise(torch.full((1, len(predicted)), 1.5)).scale) == pytest.approx(4.0)


def test_a_parameter_that_is_not_predicted_takes_the_prior_mean() -> None:
    prior = Prior(**README, predicted=["scale"])
    found = prior.denormalise(torch.tensor([[0.5]]))
    assert float(found.scale) == pytest.approx(2.0)
    torch.testing.assert_close(found.blur_std, prior.mean().blur_std)


def test_the_grid_holds_the_mid_quantiles_and_one_level_of_a_constant() -> None:
    grid = Prior(**README).grid(blur=2, scale=1, noise=1)
    torch.testing.assert_close(grid.blur_std**2, torch.tensor([12.5, 37.5]))
    constant = Prior(blur={"low": 0, "high": 50}, scale={"low": 1, "high": 1}, noise={"low": 0, "high": 0}, predicted=["blur_std"])
    assert len(constant.grid(blur=4, scale=3, noise=3)) == 4
    known = Parameters(torch.tensor([25.0]), torch.tensor([1.0]), torch.tensor([0.0]))
    torch.testing.assert_close(constant.normalise(known), torch.tensor([[0.5]]))


def test_each_part_may_be_absent_from_a_share() -> None:
    prior = Prior(
        blur={"low": 0.5, "high": 2, "absent": 0.2},
        scale={"low": 2, "high": 4, "absent": 0.6},
        noise={"low": 0.01, "high": 0.02, "absent": 0.9},
    )
    drawn = prior.sample(np.random.default_rng(0), 20_000)
    for name, neutral, absent, bounds in (
        ("blur_std", 0, 0.2, (0.5, 2)),
        ("scale", 1, 0.6, (2, 4)),
        ("noise_std", 0, 0.9, (0.01, 0.02)),
    ):
        values = drawn.number(name)
        assert float((values == neutral).float().mean()) == pytest.approx(absent, abs=0.02)
        present = values[values != neutral]
        assert (float(present.min()), float(present.max())) == pytest.approx(bounds, rel=0.02)
    torch.testing.assert_close(drawn.stack().mean(dim=0), prior.mean().stack()[0], rtol=0.05, atol=0)
    torch.testing.assert_close(prior.denormalise(prior.normalise(drawn)).stack(), drawn.stack(), atol=1e-5, rtol=1e-5)
    assert prior.may_be_sharp
    assert not Prior(**README).may_be_sharp


def test_pictures_of_a_protocol_without_a_factor_have_its_number_that_changes_nothing() -> None:
    """So that what a network predicts is compared with the truth: no compression, no motion. Else it is unknown."""
    more = {
        "jpeg_quality": JPEG(low=10, high=95).ranges[0],
        **dict(zip(("motion_length", "motion_angle"), Motion(low=1, high=9).ranges, strict=True)),
        "tone": Uniform(0.5, 2, neutral=math.nan),
    }
    predicted = ("blur_std", "jpeg_quality", "motion_0", "motion_45", "tone")
    prior = Prior(**README, predicted=predicted, more=more, axes={"motion": ("motion_length", "motion_angle")})
    drawn = Prior(**README).sample(np.random.default_rng(0), 2)
    true = prior.completed(drawn)
    assert true.number("jpeg_quality").tolist() == [100, 100]
    assert true.number("motion_0").tolist() == true.number("motion_45").tolist() == [0, 0]
    assert true.number("tone").isnan().all()
    assert torch.equal(true.blur_std, drawn.blur_std)
    assert math.isfinite(prior.ranges["tone"].mean)
    assert prior.normalise(drawn)[:, :4].isfinite().all()
    unknown = Parameters.of({name: torch.full((1,), math.nan) for name in ("blur_std", "scale", "noise_std")})
    assert prior.completed(unknown).number("jpeg_quality").isnan().all()


@pytest.mark.parametrize("size", [None, 21])
def test_a_picture_whose_blur_is_absent_is_not_blurred_by_a_drawn_kernel(size: int | None) -> None:
    shapes = Mixed(isotropic=0.5)
    prior = Prior(blur={"low": 0.2, "high": 3, "absent": 0.5}, **CONSTANT, kernel=shapes, kernel_size=size)
    drawn = prior.sample(np.random.default_rng(0), 400)
    assert drawn.kernel is not None
    middle = drawn.kernel.shape[-1] // 2
    absent = drawn.blur_std == 0
    assert 150 < int(absent.sum()) < 250
    assert (drawn.kernel[absent, middle, middle] == 1).all()
    assert (drawn.kernel[absent].sum(dim=(1, 2)) == 1).all()
    assert (drawn.blur_std[~absent] >= 0.2).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blur": {"low": -1, "high": 4}}, "Prior.blur.low=-1"),
        ({"scale": {"low": 0.5, "high": 3}}, "Prior.scale.low=0.5"),
        ({"noise": {"low": 0.2, "high": 0.1}}, "degradation.noise.high=0.1"),
        ({"noise": {"low": 0, "high": 0.1, "absent": 1.5}}, "Prior.noise.absent=1.5"),
        ({"predicted": ["blurr_std"]}, "Did you mean blur_std?"),
    ],
)
def test_an_impossible_range_is_a_user_error(change: dict, said: str) -> None:
    with pytest.raises(UserError, match=said.replace(".", r"\.").replace("?", r"\?")):
        Prior(**(README | change))
