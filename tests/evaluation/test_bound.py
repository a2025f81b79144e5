"""The bound on what can be known of a degradation: against an estimator that is known to reach it."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.evaluation.bound import RINGS, _log_spectrum, least_std

SIDE = 64


def theta(blur_std: float, scale: float = 1.0, noise_std: float = 0.02) -> Parameters:
    return Parameters(*(torch.tensor([value]) for value in (blur_std, scale, noise_std)))


def field(generator: np.random.Generator) -> np.ndarray:
    """A grey Gaussian field on a torus with power 1e-4 / f^2, and its radial frequencies."""
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    radius[0, 0] = 1
    white = np.fft.fft2(generator.standard_normal((SIDE, SIDE)))
    return np.fft.ifft2(white * 1e-2 / radius).real


def estimated(grey: np.ndarray, noises: np.ndarray) -> np.ndarray:
    """Maximum likelihood of blur_std, noise_std, strength and steepness by periodograms: of the grey that three equal colours
    have in common, and of the two colours that are noise alone. Of SciPy and NumPy alone."""
    power, others = np.abs(np.fft.fft2(grey)) ** 2 / grey.size, float(np.square(noises).sum())
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    power, radius = power[radius > 0], radius[radius > 0]

    def cost(found: np.ndarray) -> float:
        std, noise, strength, steepness = found
        model = np.exp(-4 * (np.pi * std * radius) ** 2 + strength) * radius ** (-steepness) + noise**2
        return float((np.log(model) + power / model).sum()) + noises.size * math.log(noise**2) + others / noise**2

    start = np.array([1.5, 0.02, math.log(3e-4), 2.0])
    return minimize(cost, start, method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-5, "fatol": 1e-3}).x


def test_maximum_likelihood_reaches_the_bound() -> None:
    generator = np.random.default_rng(0)
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    found, bounds = [], []
    for _ in range(60):
        sharp = field(generator)
        low = np.fft.ifft2(np.fft.fft2(sharp) * np.exp(-2 * (np.pi * 1.5 * radius) ** 2)).real
        noise = 0.02 * generator.standard_normal((3, SIDE, SIDE))
        found.append(estimated(math.sqrt(3) * low + noise[0], noise[1:])[:2])
        picture = torch.from_numpy(sharp).float().expand(1, 3, -1, -1)
        bounds.append(list(least_std(picture, theta(1.5), DegradationSpec()).values()))
    scatter, bound = np.std(found, axis=0), np.mean(bounds, axis=0)
    np.testing.assert_allclose(bound, scatter, rtol=0.25)


def test_more_noise_more_blur_and_fewer_pixels_raise_the_bound(chelsea: Tensor) -> None:
    found = {
        name: least_std(chelsea[..., :256, :256], parameters, DegradationSpec())
        for name, parameters in {
            "plain": theta(2.0),
            "noisy": theta(2.0, noise_std=0.08),
            "blurred": theta(6.0),
            "small": theta(2.0, scale=3.0),
        }.items()
    }
    assert found["plain"]["blur_std"] < min(found[name]["blur_std"] for name in ("noisy", "blurred", "small"))
    assert found["plain"]["noise_std"] == pytest.approx(0.02 / math.sqrt(2 * 3 * 256**2), rel=0.25)
    assert found["small"]["noise_std"] > 2 * found["plain"]["noise_std"]


def test_the_bound_is_infinite_without_information(chelsea: Tensor) -> None:
    assert least_std(chelsea, theta(0.0), DegradationSpec())["blur_std"] == math.inf
    assert least_std(chelsea, theta(1.0, noise_std=0.0), DegradationSpec())["noise_std"] == math.inf
    assert math.isfinite(least_std(chelsea, theta(1.0, noise_std=0.0), DegradationSpec())["blur_std"])


def test_a_kernel_cut_off_at_fifteen_taps_says_little_about_a_wide_blur(chelsea: Tensor) -> None:
    cut = DegradationSpec(kernel_size=15)
    narrow, wide = (least_std(chelsea, theta(std), cut)["blur_std"] for std in (2.0, 40.0))
    assert wide > 20 * narrow


def test_what_torch_says_of_its_own_scripts_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some versions by a FutureWarning, when they first take a forward derivative."""
    derivative = torch.func.jacfwd

    def warning(function: object) -> object:
        warnings.warn(
            "`torch.jit.script` is deprecated. Please switch to `torch.compile` or `torch.export`.", FutureWarning, stacklevel=2
        )
        return derivative(function)

    monkeypatch.setattr(torch.func, "jacfwd", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert least_std(torch.rand(1, 3, SIDE, SIDE), theta(1.5), DegradationSpec())["blur_std"] > 0


@pytest.mark.parametrize("scale", [2.0, 3.0, 4.0])
def test_every_sth_pixel_of_white_pixels_is_white(scale: float) -> None:
    """Sampling folds each frequency of H once, and so keeps the power of a pixel. Where L's pixels lie between those of H, each is
    the mean of four, with a fourth of the power."""
    spec = DegradationSpec(kernel_size=None, downsampling="direct", output="native")
    given = torch.tensor([0.01, 0.0, 0.0, 0.0], dtype=torch.float64)  # a blur that is none
    flat, grey = torch.ones(RINGS, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    found = _log_spectrum(given, power=flat, colours=grey, scale=scale, spec=spec)
    expected = 0.0 if scale == 3 else math.log(1 / 4)
    torch.testing.assert_close(found, torch.full_like(found, expected), atol=1e-3, rtol=0)
