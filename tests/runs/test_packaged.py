"""The network that comes with csrgan: what its model card says of it."""

from __future__ import annotations

import csv
import io
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from safetensors import safe_open

import csrgan
from csrgan.cli import main
from csrgan.degradation.factors.jpeg import JPEG
from csrgan.runs import packaged

SHARP = ("astronaut", "chelsea", "coffee", "rocket", "camera", "brick", "gravel", "moon", "page", "text")
GRAINED = ("coins", "grass")  # their grain passes for noise in part
DEGRADED = (
    {"blur_std": 2.0, "scale": 1.0, "noise_std": 0.0, "jpeg_quality": 90.0},
    {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0, "jpeg_quality": 30.0},
    {"blur_std": 0.5, "scale": 1.0, "noise_std": 9 / 255, "jpeg_quality": 95.0},
)
ALL_OF_IT = {"blur_std": 0.5, "scale": 2.0, "noise_std": 4 / 255, "jpeg_quality": 75.0}  # little can be saved
FILES = csrgan.Degradation(bits=8, factors={"jpeg_quality": JPEG(low=30, high=100)})


@pytest.fixture(scope="module")
def photo() -> csrgan.Model:
    return csrgan.load()


def photograph(name: str) -> np.ndarray:
    pixels: np.ndarray = getattr(skimage.data, name)()
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 else pixels[..., :3])


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.square(one.astype(float) - other).mean()
    return 10 * np.log10(255**2 / max(error, 1e-9))


def through_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_the_file_is_small_and_holds_weights_and_settings_alone() -> None:
    file = packaged.network(packaged.PHOTO)
    assert file is not None
    assert file.stat().st_size <= 6e6
    with safe_open(file, framework="numpy") as opened:
        assert opened.metadata().keys() == {"csrgan"}
        facts = json.loads(opened.metadata()["csrgan"])
    assert "data" not in facts["recipe"]
    assert "/" not in json.dumps(facts["recipe"])
    assert packaged.network("../models/photo") is None


def test_a_command_without_a_checkpoint_restores_a_degraded_photograph(tmp_path: Path) -> None:
    sharp = photograph("chelsea")[:288, :448]
    made = csrgan.degrade(sharp, FILES, theta=DEGRADED[0], seed=0)
    Image.fromarray(made.image).save(tmp_path / "photo.png")
    assert main(["restore", str(tmp_path / "photo.png"), f"destination={tmp_path}/out"]) == 0
    restored = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    assert psnr(restored, sharp) > psnr(np.asarray(made.image), sharp) + 1
    (row,) = csv.DictReader((tmp_path / "out" / "parameters.csv").open())
    assert float(row["jpeg_quality_low90"]) < 90 < float(row["jpeg_quality_high90"])


def gains(theta: dict[str, float], photo: csrgan.Model) -> list[float]:
    """Of S over L, dB, for three photographs."""
    result = []
    for name in ("chelsea", "astronaut", "coffee"):
        sharp = photograph(name)[:256, :256]
        low = csrgan.degrade(sharp, FILES, theta=theta, seed=0).image
        result.append(psnr(np.asarray(photo(low).image), sharp) - psnr(np.asarray(low), sharp))
    return result


@pytest.mark.parametrize("theta", DEGRADED)
def test_blur_noise_and_jpeg_are_undone_in_part(theta: dict[str, float], photo: csrgan.Model) -> None:
    found = gains(theta, photo)
    assert min(found) > 0
    assert float(np.mean(found)) > 0.3


def test_what_is_hardly_to_be_saved_is_not_made_worse(photo: csrgan.Model) -> None:
    assert min(gains(ALL_OF_IT, photo)) > -0.2


@pytest.mark.parametrize("name", SHARP)
def test_a_sharp_photograph_stays_what_it_is(name: str, photo: csrgan.Model) -> None:
    sharp = photograph(name)
    for low in (sharp, through_jpeg(sharp, 95)):
        assert psnr(np.asarray(photo(low).image), low) >= 40


@pytest.mark.parametrize("name", GRAINED)
def test_grain_is_kept_for_the_most_part(name: str, photo: csrgan.Model) -> None:
    sharp = photograph(name)
    for low in (sharp, through_jpeg(sharp, 95)):
        assert psnr(np.asarray(photo(low).image), low) >= 37


@pytest.mark.parametrize("factor", [2, 4])
def test_enlarging_is_in_its_range_and_better_than_bicubic(factor: int, photo: csrgan.Model) -> None:
    sharp = photograph("astronaut")[:384, :384]
    small = Image.fromarray(sharp).resize((384 // factor,) * 2, Image.Resampling.BICUBIC)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        restored = np.asarray(photo(np.asarray(small), enlarge=factor).image)
    enlarged = np.asarray(small.resize((384, 384), Image.Resampling.BICUBIC))
    assert psnr(restored, sharp) > psnr(enlarged, sharp) + 0.5
