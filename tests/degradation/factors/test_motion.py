"""Motion blur against SciPy's shifts, its laws, and its label without a jump."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

import csrgan
from csrgan.degradation.factors.motion import Motion, line_kernels
from csrgan.degradation.kernel_pca import Code
from csrgan.degradation.kernels import correlate, moments
from csrgan.degradation.parameters import NAMES

CASES = [(0.3, 20.0), (1.0, 0.0), (7.3, 33.0), (12.0, 90.0), (5.0, 135.0), (9.0, 179.0)]


def motion(**more: object) -> Motion:
    return Motion(**({"low": 0.0, "high": 12.0} | more))  # type: ignore[arg-type]


def protocol(**more: object) -> csrgan.Degradation:
    return csrgan.Degradation(factors={"motion": motion(**more)}, predicted=[*NAMES, "motion_0", "motion_45"])


def moved(picture: np.ndarray, length: float, angle: float) -> np.ndarray:
    """The mean of many shifts along the line, by SciPy's linear interpolation in float64."""
    steps = (np.arange(1500) + 0.5) / 1500 - 0.5
    y, x = length * np.sin(np.radians(angle)), length * np.cos(np.radians(angle))
    return np.mean([ndimage.shift(picture, (-step * y, -step * x), order=1, mode="mirror") for step in steps], axis=0)


@pytest.mark.parametrize("size", [(24, 31), (5, 40)])  # the second: lower than the line is long
def test_it_is_the_mean_over_a_line_of_shifts(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random(size)
    length, angle = (torch.tensor(values) for values in zip(*CASES, strict=True))
    images = torch.from_numpy(picture).float().expand(len(CASES), 1, -1, -1)
    added = motion().change(images, length, angle)
    torch.testing.assert_close(added, correlate(images, line_kernels(length, angle)), atol=1e-6, rtol=0)
    for result, case in zip(added, CASES, strict=True):
        np.testing.assert_allclose(result[0].numpy(), moved(picture, *case), atol=3e-6)


def test_the_kernel_has_the_mass_centre_angle_and_width_of_the_line() -> None:
    length, angle = (torch.tensor(values, dtype=torch.float64) for values in zip(*CASES, strict=True))
    kernels = line_kernels(length, angle)
    torch.testing.assert_close(kernels.sum(dim=(1, 2)), torch.ones(len(CASES), dtype=torch.float64))
    torch.testing.assert_close(kernels, kernels.flip(1, 2))
    found = moments(kernels)
    torch.testing.assert_close(found["angle_deg"][2:5], angle[2:5], atol=1.5, rtol=0)
    interpolation = 1 / 6  # variance of a triangle that stands anywhere between two pixels
    torch.testing.assert_close(found["std_major"][2:] ** 2, length[2:] ** 2 / 12 + interpolation, atol=0.2, rtol=0)


def test_length_0_is_the_identity_to_the_bit() -> None:
    images, zero, angle = torch.rand(3, 3, 20, 22), torch.zeros(3), torch.tensor([0.0, 45.0, 120.0])
    assert torch.equal(motion().change(images, zero, angle), images)
    assert torch.equal(correlate(images, line_kernels(zero, angle, 12.0)), images)
    made, plain = protocol(), csrgan.Degradation()
    theta = plain.prior.mean(3).present()
    still = csrgan.Degradation(factors={"motion": motion()}).prior.mean(3).present() | theta | {"motion_length": zero}
    assert torch.equal(made.degrade(images, type(plain.prior.mean()).of(still)), plain.degrade(images, plain.prior.mean(3)))


def test_a_batch_equals_its_pictures_one_by_one() -> None:
    images, made = torch.rand(5, 3, 30, 26), motion()
    length, angle = torch.tensor([0.0, 3.0, 12.0, 7.7, 1.0]), torch.tensor([10.0, 0.0, 45.0, 100.0, 170.0])
    together = made.change(images, length, angle)
    for k in range(5):
        assert torch.equal(together[k : k + 1], made.change(images[k : k + 1], length[k : k + 1], angle[k : k + 1]))


def test_it_reads_no_value_back_from_a_device_unless_theta_is_free() -> None:
    images, number = torch.empty(2, 3, 32, 32, device="meta"), torch.empty(2, device="meta")
    assert motion().change(images, number, number).shape == images.shape
    with pytest.raises(RuntimeError, match="meta"):
        motion().unbounded().change(images, number, number)


def test_it_is_differentiable() -> None:
    images = torch.rand(2, 1, 6, 7, dtype=torch.float64, requires_grad=True)
    length = torch.tensor([4.3, 2.1], dtype=torch.float64, requires_grad=True)
    angle = torch.tensor([33.0, 110.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(motion().change, (images, length, angle))


def test_theta_may_lie_outside_the_protocol() -> None:
    sharp = torch.rand(1, 3, 48, 48)
    theta = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0, "motion_length": 20.0, "motion_angle": 30.0}
    made = csrgan.degrade(sharp, protocol(), theta).image
    np.testing.assert_allclose(made[0, 0], moved(sharp[0, 0].double().numpy(), 20, 30), atol=1e-5)
    components = {"motion_0": 20 * 0.5, "motion_45": 20 * 0.75**0.5}  # the same, as a network would say it
    again = csrgan.degrade(sharp, protocol(), {**{name: theta[name] for name in NAMES}, **components})
    torch.testing.assert_close(again.image, made)
    torch.testing.assert_close(again.parameters.motion_length, torch.tensor([20.0]))
    with pytest.raises(csrgan.UserError, match="one of motion_0 and motion_45: give both"):
        csrgan.degrade(sharp, protocol(), {"motion_0": 1.0})
    with pytest.raises(csrgan.UserError, match=r"motion_length=\[?-1"):
        csrgan.degrade(sharp, protocol(), {"motion_length": -1.0})


def test_what_a_network_predicts_has_no_jump() -> None:
    prior = protocol(absent=0.3).prior
    theta = prior.sample(np.random.default_rng(0), 500)
    units = prior.normalise(theta)
    assert units.shape == (500, 5)
    assert float(units.min()) >= 0 and float(units.max()) <= 1
    back = prior.denormalise(units)
    torch.testing.assert_close(back.motion_length, theta.motion_length, atol=1e-4, rtol=0)
    moving = theta.motion_length > 0
    apart = (back.motion_angle - theta.motion_angle)[moving]
    assert float(((apart + 90) % 180 - 90).abs().max()) < 0.1
    assert bool((units[~moving, 3:] == 0.5).all())  # one label for no motion, whatever its angle
    turned = prior.completed(
        theta[:1].of(theta[:2].present() | {"motion_length": torch.tensor([8.0, 8.0]), "motion_angle": torch.tensor([179.5, 0.5])})
    )
    assert float((turned.motion_45[0] - turned.motion_45[1]).abs()) < 0.3
    assert float(prior.mean().motion_0) == pytest.approx(0, abs=0.2)
    assert prior.units == {"motion_length": "px", "motion_angle": "deg", "motion_0": "px", "motion_45": "px"}


def test_predictions_at_no_length_have_finite_gradients() -> None:
    units = torch.full((1, 5), 0.5, requires_grad=True)
    theta = protocol().prior.denormalise(units)
    correlate(torch.rand(1, 3, 16, 16), line_kernels(theta.motion_length, theta.motion_angle, 12.0)).square().sum().backward()
    assert units.grad is not None and bool(units.grad.isfinite().all())


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        (["motion_angle"], "jumps from 180 to 0 degrees.*name motion_0 and motion_45"),
        (["motion_0"], "one of motion_0 and motion_45"),
        (["motion"], "no motion.*motion_0, motion_45, motion_angle, motion_length"),
    ],
)
def test_predictions_that_mean_nothing_are_user_errors(predicted: list[str], said: str) -> None:
    with pytest.raises(csrgan.UserError, match=said):
        csrgan.Degradation(factors={"motion": motion()}, predicted=predicted)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"low": 5.0, "high": 2.0}, "lies above"),
        ({"angle": {"low": 50.0, "high": 20.0}}, r"Motion\.angle\.low=50"),
        ({"low": -1.0}, "low"),
    ],
)
def test_impossible_settings_are_user_errors(settings: dict, said: str) -> None:
    with pytest.raises(csrgan.UserError, match=said):
        motion(**settings)


def test_a_code_of_the_degradation_has_no_angle() -> None:
    """Networks that get a code (SRMD) get the components, too, predicted or not."""
    made = csrgan.Degradation(factors={"motion": motion(absent=0.3)})
    code = Code(made, kind="units", components=1)
    assert code.names == [*NAMES, "motion_0", "motion_45"]
    theta = made.prior.sample(np.random.default_rng(1), 50)
    back = code.decode(code.encode(theta))
    torch.testing.assert_close(back.motion_length, theta.motion_length, atol=1e-4, rtol=0)
    assert float(code.initial(2)[0, 3]) == pytest.approx(0.5, abs=0.02)


def test_the_spread_of_length_and_angle_follows_from_the_components() -> None:
    prior = protocol().prior
    theta = prior.normalise(
        prior.mean().of({**prior.mean(2).present(), "motion_0": torch.tensor([4.0, 0.0]), "motion_45": torch.tensor([3.0, 0.0])})
    )
    std = torch.full_like(theta, 0.01)
    spread = prior.spread(theta, std)
    torch.testing.assert_close(spread.motion_length[0], torch.tensor(0.24))  # of components of 0.24 px each
    torch.testing.assert_close(spread.motion_angle, torch.tensor([math.degrees(0.24 / 5) / 2, 90 / 3**0.5]))
    low, high = prior.interval(theta, std)
    torch.testing.assert_close(high.motion_length[0] - low.motion_length[0], torch.tensor(2 * 1.6448536 * 0.24))
