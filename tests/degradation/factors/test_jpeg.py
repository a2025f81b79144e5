"""JPEG is held to libjpeg itself, through Pillow, at every quality and at sizes that fill no block."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor

import csrgan
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.factors.jpeg import JPEG, jpeg, quantisation, through_codec
from csrgan.degradation.parameters import NAMES

PILLOW = {"4:2:0": 2, "4:4:4": 0}


def through_pillow(picture: Tensor, quality: int, subsampling: str) -> tuple[Tensor, Image.Image]:
    buffer = io.BytesIO()
    pixels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=PILLOW[subsampling])
    opened = Image.open(buffer)
    return torch.from_numpy(np.asarray(opened.convert("RGB")).copy()).permute(2, 0, 1) / 255, opened


def decibels(one: Tensor, other: Tensor) -> float:
    return float(-10 * (one - other).square().mean().clamp(min=1e-12).log10())


@pytest.fixture(scope="module")
def photographs() -> Tensor:
    pictures = [getattr(skimage.data, name)()[100:229, 90:233] for name in ("astronaut", "coffee", "chelsea")]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255


@pytest.mark.parametrize("subsampling", PILLOW)
@pytest.mark.parametrize("size", [(128, 128), (129, 143), (71, 90), (16, 8), (1, 1)], ids=str)
def test_it_is_what_libjpeg_does(photographs: Tensor, size: tuple[int, int], subsampling: str) -> None:
    images = photographs[..., : size[0], : size[1]]
    for quality in (1, 10, 30, 50, 75, 85, 95, 100):
        made = jpeg(images, torch.full((3,), float(quality)), subsampling=subsampling)
        for picture, result in zip(images, made, strict=True):
            expected, _ = through_pillow(picture, quality, subsampling)
            assert (result - expected).abs().max() < 1e-6 or decibels(result, expected) > 80, quality


@pytest.mark.parametrize("subsampling", PILLOW)
@pytest.mark.parametrize("size", [(128, 128), (71, 90), (1, 1)], ids=str)
def test_the_codec_and_the_arithmetic_agree(
    photographs: Tensor, size: tuple[int, int], subsampling: Literal["4:2:0", "4:4:4"]
) -> None:
    images = photographs[..., : size[0], : size[1]]
    for qualities in ([1.0, 30.0, 50.0], [74.6, 85.0, 95.0]):
        quality = torch.tensor(qualities)
        exact = through_codec(images, quality, subsampling=subsampling)
        torch.testing.assert_close(jpeg(images, quality, subsampling=subsampling), exact, atol=1e-6, rtol=0)


@pytest.mark.parametrize("quality", [1, 5, 10, 49, 50, 51, 75, 95, 99, 100])
def test_the_tables_are_those_in_the_file(photographs: Tensor, quality: int) -> None:
    _, opened = through_pillow(photographs[0], quality, "4:2:0")
    ours = quantisation(torch.tensor([float(quality)]))[0].flatten(1)
    for index, table in opened.quantization.items():  # Pillow gives them in rows, not in zigzag
        assert ours[index].tolist() == list(map(float, table))


def test_each_picture_has_its_own_quality_whatever_else_is_in_the_batch(photographs: Tensor) -> None:
    quality = torch.tensor([10.0, 60.0, 95.0])
    alone = torch.cat([jpeg(picture[None], own[None]) for picture, own in zip(photographs, quality, strict=True)])
    assert torch.equal(jpeg(photographs, quality), alone)


def test_gradients_pass_if_asked_and_change_nothing(photographs: Tensor) -> None:
    images = photographs[..., :64, :64].clone().requires_grad_()
    made = jpeg(images, torch.full((3,), 80.0), soft=True)
    assert torch.equal(made, jpeg(images.detach(), torch.full((3,), 80.0)))
    (made * images.detach()).sum().backward()
    assert images.grad is not None and images.grad.norm() > 1


def protocol(absent: float = 0.4) -> Degradation:
    factors = {"jpeg_quality": JPEG(low=60, high=95, absent=absent)}
    return Degradation(bits=8, factors=factors, predicted=[*NAMES, "jpeg_quality"])


def test_a_protocol_gives_what_a_file_would_hold(photographs: Tensor) -> None:
    """L is degraded, written by Pillow and read again; and not compressed at all where the quality is 100."""
    theta = {"blur_std": 1.5, "scale": 1.5, "noise_std": 0.02}
    plain = csrgan.degrade(photographs, Degradation(bits=8), theta=theta).image
    for quality in (60, 85, 95):
        made = csrgan.degrade(photographs, protocol(), theta={**theta, "jpeg_quality": float(quality)}).image
        for low, picture in zip(made, plain, strict=True):
            assert (low - through_pillow(picture, quality, "4:2:0")[0]).abs().max() < 1e-6
    assert torch.equal(csrgan.degrade(photographs, protocol(), theta={**theta, "jpeg_quality": 100.0}).image, plain)


def test_some_pictures_are_not_compressed() -> None:
    quality = protocol(absent=0.4).prior.sample(np.random.default_rng(0), 20_000).more["jpeg_quality"]
    present = quality[quality < 100]
    assert float((quality == 100).float().mean()) == pytest.approx(0.4, abs=0.01)
    assert float(present.min()) >= 60 and float(present.max()) <= 95
    assert float(present.mean()) == pytest.approx(77.5, abs=0.2)
    assert float(quality.mean()) == pytest.approx(float(protocol(absent=0.4).prior.mean().more["jpeg_quality"]), abs=0.3)
    assert len(set(protocol().prior.grid(blur=3, scale=3, noise=3).more["jpeg_quality"].tolist())) > 10


def test_network_units_reach_what_is_absent() -> None:
    prior = protocol().prior
    theta = prior.sample(np.random.default_rng(0), 500)
    units = prior.normalise(theta)
    assert float(units.min()) >= 0 and float(units[:, 3].max()) == 1.0
    torch.testing.assert_close(prior.denormalise(units).more["jpeg_quality"], theta.more["jpeg_quality"])


def test_gradients_pass_through_a_protocol(photographs: Tensor) -> None:
    sharp = photographs[..., :64, :64].clone().requires_grad_()
    made = Degradation(factors={"jpeg_quality": JPEG(low=60, high=95)})
    made.degrade(sharp, made.prior.mean(3)).square().sum().backward()
    assert sharp.grad is not None and bool(sharp.grad.isfinite().all()) and sharp.grad.norm() > 1


@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"low": 95, "high": 60}, "lies above"), ({"low": 0, "high": 60}, r"low"), ({"low": 1, "high": 2, "absent": 2}, "absent")],
)
def test_impossible_settings_are_user_errors(settings: dict[str, float], fault: str) -> None:
    with pytest.raises(csrgan.UserError, match=fault):
        JPEG(**settings)
