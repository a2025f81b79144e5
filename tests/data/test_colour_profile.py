"""Colours of a profile are converted to sRGB and back; the witness is littleCMS, in 8 bits."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import profiles
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from csrgan.data import colour_profile, picture

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (40, 50, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (40, 50, 3), np.uint16)
SRGB = ImageCms.createProfile("sRGB")
KINDS = {name: profiles.rgb(name) for name in ("display-p3", "adobe-rgb", "prophoto")}
KINDS |= {"table": profiles.rgb("display-p3", "table"), "three dimensions": profiles.tables()}


def converted(pixels: NDArray[np.uint8], profile: bytes, mode: str = "RGB", back: bool = False) -> NDArray[np.int16]:
    """Convert with littleCMS."""
    pair = [ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB]
    found = ImageCms.profileToProfile(Image.fromarray(pixels, mode), *(pair[::-1] if back else pair), outputMode="RGB")
    return np.asarray(found).astype(np.int16)


@pytest.mark.parametrize("name", KINDS)
def test_a_profile_is_converted_as_by_little_cms(tmp_path: Path, name: str) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png", icc_profile=KINDS[name])
    found = picture.read(tmp_path / "a.png")
    expected = converted(COLOUR, KINDS[name])
    assert np.abs(found.eight_bits - expected).max() <= 1
    assert np.abs(found.tensor().permute(1, 2, 0).numpy() * 255 - expected).max() < 1.01
    assert np.abs(expected - COLOUR).max() > 15  # that something was to be done
    conversion = colour_profile.conversion(KINDS[name], 8)
    assert conversion is not None
    assert np.abs(conversion.from_srgb(COLOUR / np.float32(255)) * 255 - converted(COLOUR, KINDS[name], back=True)).max() < 1.01


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_unchanged_pixels_are_written_as_they_were(tmp_path: Path, name: str, suffix: str) -> None:
    """Also those with colours outside sRGB, which the network sees clipped."""
    Image.fromarray(COLOUR).save(tmp_path / f"a.{suffix}", icc_profile=KINDS[name], lossless=True)
    found = picture.read(tmp_path / f"a.{suffix}")
    picture.write(tmp_path / f"b.{suffix}", found.tensor(), like=found)
    with Image.open(tmp_path / f"b.{suffix}") as again:
        assert np.array_equal(np.asarray(again), COLOUR)
        assert again.info["icc_profile"] == KINDS[name]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("name", ["display-p3", "adobe-rgb"])
def test_16_bits_of_a_profile_stay_16_bits(tmp_path: Path, suffix: str, name: str) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), DEEP[:, :, ::-1])
    bare = picture.read(tmp_path / "a.png")
    like = picture.Picture(bare.pixels, metadata=picture.Metadata(profile=KINDS[name]))
    picture.write(tmp_path / f"a.{suffix}", like.tensor(), like)
    found = picture.read(tmp_path / f"a.{suffix}")
    assert found.metadata.profile == KINDS[name]
    assert np.abs(found.pixels.astype(int) - DEEP).max() <= 1
    even = picture.Picture(COLOUR.astype(np.uint16) * 257, metadata=found.metadata)
    assert np.abs(even.eight_bits - converted(COLOUR, KINDS[name])).max() <= 1
    inside = ((found.tensor() > 0) & (found.tensor() < 1)).all(dim=0).numpy()
    conversion = colour_profile.conversion(KINDS[name], 16)
    assert conversion is not None
    again = conversion.from_srgb(found.tensor().permute(1, 2, 0).numpy()) * 65535
    assert np.abs(again - found.pixels)[inside].max() < 0.5


def test_a_changed_picture_is_written_in_the_files_colours(tmp_path: Path) -> None:
    """A P3 photograph of sRGB colours becomes one uniform sRGB colour."""
    inside = converted(COLOUR, KINDS["display-p3"], back=True).astype(np.uint8)
    Image.fromarray(inside).save(tmp_path / "a.png", icc_profile=KINDS["display-p3"])
    found = picture.read(tmp_path / "a.png")
    flat = found.tensor() * 0 + found.tensor()[:, :1, :1]
    picture.write(tmp_path / "b.png", flat, like=found)
    with Image.open(tmp_path / "b.png") as again:
        assert again.info["icc_profile"] == KINDS["display-p3"]
        assert np.abs(np.asarray(again).astype(int) - inside[0, 0]).max() <= 1
        shown = converted(np.asarray(again), again.info["icc_profile"])
    assert np.abs(shown - flat.permute(1, 2, 0).numpy() * 255).max() < 1.5


@pytest.mark.parametrize("profile", [profiles.srgb(), b"", b"garbage" * 100, profiles.rgb("display-p3")[:200], profiles.grey(1.8)])
def test_srgb_and_useless_profiles_change_no_pixel(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png", icc_profile=profile)
    found = picture.read(tmp_path / "a.png")
    assert np.array_equal(found.eight_bits, COLOUR)
    assert np.array_equal(found.tensor().permute(1, 2, 0).numpy(), COLOUR / np.float32(255))
    picture.write(tmp_path / "b.png", found.tensor(), like=found)
    with Image.open(tmp_path / "b.png") as again:
        assert again.info.get("icc_profile", b"") == (profile if profile == profiles.srgb() else b"")
        assert np.array_equal(np.asarray(again), COLOUR)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_grey_profile_is_kept_by_a_grey_picture(tmp_path: Path, suffix: str) -> None:
    smooth = np.linspace(20, 240, 64).round().astype(np.uint8)[None].repeat(16, axis=0)
    Image.fromarray(smooth).save(tmp_path / f"a.{suffix}", icc_profile=profiles.grey(1.8))
    found = picture.read(tmp_path / f"a.{suffix}")
    expected = converted(found.pixels[:, :, 0].copy(), profiles.grey(1.8), "L")
    assert np.abs(found.eight_bits - expected).max() <= 1
    picture.write(tmp_path / f"b.{suffix}", found.tensor(), like=found)
    with Image.open(tmp_path / f"b.{suffix}") as again:
        assert (again.mode, again.info["icc_profile"]) == ("L", profiles.grey(1.8))
        assert np.abs(np.asarray(again).astype(int) - smooth).max() <= (2 if suffix == "jpg" else 0)


@pytest.mark.parametrize("suffix", ["bmp", "ppm", "webp"])
def test_a_file_that_cannot_hold_a_profile_is_written_as_srgb(tmp_path: Path, suffix: str) -> None:
    """A WebP is always RGB, so a grey profile would not fit its pixels."""
    image, profile = (
        (Image.fromarray(COLOUR[:, :, 0]), profiles.grey(1.8))
        if suffix == "webp"
        else (Image.fromarray(COLOUR), KINDS["display-p3"])
    )
    image.save(tmp_path / "a.png", icc_profile=profile)
    found = picture.read(tmp_path / "a.png")
    picture.write(tmp_path / f"b.{suffix}", found.tensor(), like=found)
    with Image.open(tmp_path / f"b.{suffix}") as again:
        assert "icc_profile" not in again.info
        assert np.array_equal(np.asarray(again.convert("RGB")), found.eight_bits)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_srgb_by_its_profile(tmp_path: Path, suffix: str) -> None:
    inks = Image.fromarray(cv2.resize(RNG.integers(0, 256, (5, 6, 4), np.uint8), (50, 40)), "CMYK")
    inks.save(tmp_path / f"a.{suffix}", icc_profile=profiles.cmyk())
    found = picture.read(tmp_path / f"a.{suffix}")
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert np.array_equal(found.pixels, converted(np.asarray(image), profiles.cmyk(), "CMYK"))
        assert np.abs(found.pixels - np.asarray(image.convert("RGB")).astype(int)).max() > 30
        image.save(tmp_path / f"broken.{suffix}", icc_profile=profiles.cmyk()[:300])
        assert np.array_equal(
            picture.read(tmp_path / f"broken.{suffix}").pixels, np.asarray(Image.open(tmp_path / f"broken.{suffix}").convert("RGB"))
        )
    picture.write(tmp_path / f"b.{suffix}", found.tensor(), like=found)
    with Image.open(tmp_path / f"b.{suffix}") as again:
        assert again.mode == "RGB"
        assert "icc_profile" not in again.info
