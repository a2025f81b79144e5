"""csrgan.degrade: the protocols' operator, in the kind of picture that was given, with parameters that are what was applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from composed import choices
from PIL import Image
from witness import chain

import csrgan
from csrgan.degradation.parameters import Parameters


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.chelsea()[:60, :96])


def by_scipy(picture: np.ndarray, std: float, scale: float) -> np.ndarray:
    """The chain of (h, w, c) without noise."""
    return chain(picture.transpose(2, 0, 1), std, scale).transpose(1, 2, 0)


def test_what_is_given_is_applied_and_said(cat: np.ndarray) -> None:
    """Witness: SciPy and Pillow, without noise."""
    made = csrgan.degrade(cat / 255, theta={"blur_std": 1.5, "scale": 2.0, "noise_std": 0.0})
    assert made.parameters == csrgan.Theta(1.5, 2.0, 0.0)
    np.testing.assert_allclose(made.image, by_scipy(cat / 255, 1.5, 2.0), atol=2e-5)


def test_the_noise_has_the_std_that_is_given() -> None:
    made = csrgan.degrade(np.full((200, 300, 3), 0.5), theta={"blur_std": 3.0, "scale": 1.0, "noise_std": 0.02})
    assert made.image.std() == pytest.approx(0.02, rel=0.02)


def test_what_is_drawn_follows_from_the_seed_and_lies_in_the_prior(cat: np.ndarray) -> None:
    batch = torch.from_numpy(cat).permute(2, 0, 1)[None].expand(8, -1, -1, -1) / 255
    made, again, other = (csrgan.degrade(batch, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(made.image, again.image)
    assert not torch.equal(made.image, other.image)
    stds = made.parameters.blur_std
    assert isinstance(stds, torch.Tensor)
    assert len(set(stds.tolist())) == 8
    assert 0 <= float(stds.min()) <= float(stds.max()) <= 50**0.5
    one = csrgan.degrade(cat / np.float32(255), seed=3)  # the first of a batch is as it is alone
    np.testing.assert_array_equal(one.image, made.image[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize("protocol", [name for name in choices("degradation") if not name.startswith("levin")])
def test_every_protocol_degrades(protocol: str, cat: np.ndarray) -> None:
    made = csrgan.degrade(cat, protocol, seed=1)
    native = made.image.shape != cat.shape
    assert made.image.dtype == np.uint8
    assert made.image.shape == ((round(60 / made.parameters.scale), round(96 / made.parameters.scale), 3) if native else cat.shape)
    assert native == protocol.endswith(("x2", "x3", "x4"))
    assert (made.kernel is not None) == protocol.startswith(("srmd", "div2krk", "photo"))


def test_a_protocol_without_its_file_says_so(cat: np.ndarray) -> None:
    with pytest.raises(csrgan.UserError, match=r"degradation\.kernel\.file is empty: it takes a \.npy or \.mat file"):
        csrgan.degrade(cat, "levin_x2")


def test_kinds_of_pictures(cat: np.ndarray, tmp_path: Path) -> None:
    theta = {"blur_std": 2.0, "scale": 1.5, "noise_std": 0.1}
    Image.fromarray(cat).save(tmp_path / "cat.png")
    np.testing.assert_array_equal(csrgan.degrade(tmp_path / "cat.png", theta=theta).image, csrgan.degrade(cat, theta=theta).image)
    grey = csrgan.degrade(np.full((80, 120), 0.5), theta=theta)
    assert grey.image.shape == (80, 120)
    flat = csrgan.degrade(np.full((80, 120), 0.5), theta=theta | {"scale": 1.0})
    assert flat.image.std() == pytest.approx(0.1, rel=0.05)  # not the mean of three channels' noises
    each = csrgan.degrade(torch.rand(2, 3, 30, 40), theta={"blur_std": torch.tensor([0.0, 4.0])})
    assert each.parameters.blur_std.tolist() == [0.0, 4.0]


def test_own_protocols_and_values_beyond_the_prior(cat: np.ndarray) -> None:
    point = {"low": 0.0, "high": 0.0}
    own = csrgan.Degradation(blur={"low": 1.0, "high": 1.0}, scale={"low": 1.0, "high": 1.0}, noise=point)
    made = csrgan.degrade(cat / 255, own)
    np.testing.assert_allclose(made.image, by_scipy(cat / 255, 1.0, 1.0), atol=2e-5)
    wide = csrgan.degrade(cat / 255, own, {"blur_std": 9.0, "scale": 6.0})
    np.testing.assert_allclose(wide.image, by_scipy(cat / 255, 9.0, 6.0), atol=2e-5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"protocol": "readmi"}, "degradation has no readmi.*Did you mean readme"),
        ({"theta": {"blur": 1.0}}, "theta has no blur.*Did you mean blur_std"),
        ({"theta": {"blur_std": -1.0}}, r"theta\.blur_std=-1\.0 lies below 0"),
        ({"theta": {"scale": 0.5}}, r"theta\.scale=0\.5 lies below 1"),
        ({"theta": {"noise_std": float("nan")}}, "is not finite"),
        ({"theta": {"blur_std": torch.ones(3)}}, r"has shape \(3,\): give one number, or one for each of 1 pictures"),
        ({"protocol": "srmd_x2", "theta": {"blur_std": 1.0}}, "kernels that this protocol draws"),
        ({"protocol": "gaussian8_x2", "theta": {"scale": 3.0}}, "L of this protocol is always 2 times smaller"),
        ({"protocol": "gaussian8_x4", "sharp": np.zeros((61, 96, 3))}, "sharp is 96x61 px.*multiples of 4"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_meaning_is_refused_in_a_sentence(cat: np.ndarray, words: dict[str, Any], said: str) -> None:
    with pytest.raises(csrgan.UserError, match=said):
        csrgan.degrade(**{"sharp": cat, **words})


def test_parameters_are_the_rooms_own() -> None:
    assert csrgan.Parameters is Parameters
