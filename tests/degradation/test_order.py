"""The order of the steps of a degradation, and second rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import csrgan
from csrgan.degradation.factor import Factor
from csrgan.degradation.factors.jpeg import JPEG, jpeg
from csrgan.degradation.factors.motion import Motion
from csrgan.degradation.factors.second import Second
from csrgan.degradation.factors.sensor import ShotNoise
from csrgan.degradation.operator import degrade, linear
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.spec import DegradationSpec

QUALITY = {"low": 30, "high": 95}
AGAIN: Any = {"blur": {"low": 0, "high": 2}, "scale": {"low": 1, "high": 2}, "noise": {"low": 0, "high": 0.05}}


def chelsea_crops(chelsea: Tensor, side: int = 48) -> Tensor:
    return torch.stack([chelsea[0, :, k : k + side, 100 + k : 100 + k + side + 8] for k in (0, 40, 90)])


def theta(**more: list[float]) -> Parameters:
    own = {"blur_std": [0.7, 0.0, 1.5], "scale": [1.5, 2.0, 1.5], "noise_std": [0.02, 0.0, 0.01]}
    return Parameters.of({name: torch.tensor(values) for name, values in (own | more).items()})


class Inverted(Factor):
    """Shows where it was applied."""

    pointwise = True

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        return 1 - images * number[:, None, None, None]


@pytest.mark.parametrize("output", ["upsampled", "native"])
def test_the_order_by_default_is_that_of_the_places(chelsea: Tensor, output: str) -> None:
    factors = {"inverted": Inverted(low=0.5, high=1), "motion": Motion(low=0, high=5), "shot_noise": ShotNoise(low=0, high=0.01)}
    settings: Any = {"factors": factors, "output": output, "scale": {"low": 2.0, "high": 2.0}, "bits": 8}
    made = csrgan.Degradation(**settings)
    order = ["motion", "blur", "scale", "noise", "shot_noise", "upsample", "inverted", "bits"]
    same = csrgan.Degradation(**settings, order=order)
    assert made.spec.steps == tuple(order)
    sharp = chelsea_crops(chelsea)
    parameters = made.prior.mean(3)
    noise = made.noise(tuple(sharp.shape), parameters)
    assert torch.equal(made.degrade(sharp, parameters, noise), same.degrade(sharp, parameters, noise))


@pytest.mark.parametrize(("backend", "traced"), [("banded", False), ("banded", True), ("kornia", False)])
def test_jpeg_at_the_pixels_of_the_small_picture_is_that_of_its_file(chelsea: Tensor, backend: str, traced: bool) -> None:
    """Each picture has a size of its own, and blocks begin at its own corner and end at its own border."""
    sharp, parameters = chelsea_crops(chelsea), theta(jpeg_quality=[40.0, 60.0, 80.0])
    order = ["blur", "scale", "noise", "jpeg_quality", "upsample", "bits"]
    made = csrgan.Degradation(factors={"jpeg_quality": JPEG(**QUALITY)}, order=order, backend=backend)  # type: ignore[arg-type]
    noise = made.noise(tuple(sharp.shape), parameters)
    low = made.degrade(sharp.clone().requires_grad_(traced), parameters, noise).detach()
    native, alone = DegradationSpec(output="native"), parameters.more["jpeg_quality"]
    for k in range(3):
        small = linear(sharp[k : k + 1], parameters[k : k + 1], noise=noise[k : k + 1], spec=native)
        file = jpeg(small, alone[k : k + 1])
        expected = torch.nn.functional.interpolate(file, size=sharp.shape[2:], mode="bicubic", antialias=True).clamp(0, 1)
        assert float((low[k : k + 1] - expected).square().mean()) < 3e-6  # a coefficient halfway between two steps may differ


def test_jpeg_both_before_and_after_the_enlargement(chelsea: Tensor) -> None:
    sharp, parameters = chelsea_crops(chelsea), theta(first=[40.0, 60.0, 80.0], last=[90.0, 50.0, 70.0])
    factors = {"first": JPEG(**QUALITY), "last": JPEG(**QUALITY)}  # type: ignore[arg-type]
    made = csrgan.Degradation(factors=factors, order=["blur", "scale", "noise", "first", "upsample", "last", "bits"])
    one = csrgan.Degradation(factors={"first": factors["first"]}, order=["blur", "scale", "noise", "first", "upsample", "bits"])
    expected = jpeg(one.degrade(sharp, parameters), parameters.more["last"])
    assert torch.equal(made.degrade(sharp, parameters), expected)


def test_a_step_may_come_between_blur_and_scale_and_noise(chelsea: Tensor) -> None:
    sharp, parameters = chelsea_crops(chelsea), theta(inverted=[1.0, 0.8, 0.9])
    factors = {"inverted": Inverted(low=0.5, high=1)}
    between = csrgan.Degradation(factors=factors, order=["blur", "inverted", "scale", "noise", "upsample", "bits"])
    noise = torch.randn(sharp.shape)
    blurred = degrade(sharp, Parameters(parameters.blur_std, torch.ones(3), torch.zeros(3)))
    changed = 1 - blurred * parameters.more["inverted"][:, None, None, None]
    plain = Parameters(torch.zeros(3), parameters.scale, parameters.noise_std)
    torch.testing.assert_close(between.degrade(sharp, parameters, noise), degrade(changed, plain, noise=noise), atol=1e-5, rtol=0)
    late = csrgan.Degradation(factors=factors, order=["blur", "scale", "inverted", "noise", "upsample", "bits"])
    opposite = late.degrade(sharp, theta(inverted=[1.0, 1.0, 1.0]), noise)
    expected = 1 - degrade(sharp, parameters, noise=-noise)  # resampling keeps 1 - L
    torch.testing.assert_close(opposite, expected, atol=1e-5, rtol=0)


def test_a_second_round_is_the_operator_once_more(chelsea: Tensor) -> None:
    sharp = chelsea_crops(chelsea)
    numbers = {"second_blur_std": [0.0, 1.0, 2.0], "second_scale": [1.0, 1.6, 2.0], "second_noise_std": [0.0, 0.05, 0.02]}
    parameters = theta(**numbers)
    made = csrgan.Degradation(factors={"second": Second(**AGAIN)}, predicted=[*NAMES, "second_blur_std"])
    noise = made.noise(tuple(sharp.shape), parameters, seeds=[1, 2, 3])
    again = Parameters(*(torch.tensor(values) for values in numbers.values()))
    once = degrade(sharp, parameters, noise=noise[:, :3])
    torch.testing.assert_close(made.degrade(sharp, parameters, noise), degrade(once, again, noise=noise[:, 3:]), atol=1e-6, rtol=0)
    torch.testing.assert_close(made.degrade(sharp, parameters)[0], degrade(sharp, parameters)[0], atol=1e-6, rtol=0)
    assert made.prior.units == {"second_blur_std": "px"}
    with pytest.raises(csrgan.UserError, match=r"Second\.scale\.low=0\.5"):
        Second(**AGAIN | {"scale": {"low": 0.5, "high": 2}})


def test_each_number_of_a_second_round_may_be_absent() -> None:
    absent = {key: {**bounds, "absent": 0.5} for key, bounds in AGAIN.items()}
    made = csrgan.Degradation(factors={"second": Second(**absent)})
    theta = made.prior.sample(np.random.default_rng(3), 400)
    for name, neutral in (("blur_std", 0.0), ("scale", 1.0), ("noise_std", 0.0)):
        numbers = theta.number(f"second_{name}")
        assert 0.4 < float((numbers == neutral).float().mean()) < 0.6
        assert float(numbers.min()) == neutral


def test_two_rounds_with_jpeg_after_each(chelsea: Tensor) -> None:
    """Real-ESRGAN's order, at the pixels of the small picture."""
    factors = {"jpeg_quality": JPEG(**QUALITY), "second": Second(**AGAIN), "jpeg_quality_2": JPEG(**QUALITY)}  # type: ignore[arg-type]
    order = ["blur", "scale", "noise", "jpeg_quality", "second", "jpeg_quality_2", "upsample", "bits"]
    made = csrgan.Degradation(factors=factors, order=order)
    result = csrgan.degrade(chelsea_crops(chelsea), made, seed=3)
    assert result.parameters.jpeg_quality_2.shape == (3,)
    assert float((result.image - chelsea_crops(chelsea)).abs().mean()) > 0.01
    made(chelsea_crops(chelsea))


RIGHT = ["blur", "scale", "noise", "upsample", "jpeg_quality", "bits"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["blur", "scale", "noise", "upsample", "jpg", "bits"], r"degradation\.order has no jpg\..*Did you mean jpeg_quality\?"),
        (RIGHT[:-1], "has no bits: name every step once"),
        ([*RIGHT, "blur"], r"has blur twice; a second round has numbers of its own"),
        (["scale", "blur", *RIGHT[2:]], "blur after scale, but blur_std is measured in pixels of H"),
        (["blur", "noise", "scale", *RIGHT[3:]], "scale after noise, but the noise is that of L's own pixels"),
        (["blur", "scale", "upsample", "noise", *RIGHT[4:]], "noise after upsample"),
        ([], "has no blur, scale, noise, upsample, bits, jpeg_quality"),
    ],
)
def test_impossible_orders_are_user_errors(order: list[str], said: str) -> None:
    with pytest.raises(csrgan.UserError, match=said):
        csrgan.Degradation(factors={"jpeg_quality": JPEG(**QUALITY)}, order=order)  # type: ignore[arg-type]


def test_direct_down_sampling_follows_its_blur() -> None:
    two: Any = {"scale": {"low": 2.0, "high": 2.0}, "downsampling": "direct", "factors": {"inverted": Inverted(low=0.5, high=1)}}
    with pytest.raises(csrgan.UserError, match="let scale follow blur"):
        csrgan.Degradation(**two, order=["blur", "inverted", "scale", "noise", "upsample", "bits"])
    assert csrgan.Degradation(**two, order=["inverted", "blur", "scale", "noise", "bits", "upsample"])
