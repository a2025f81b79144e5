"""Pictures of every depth, mode and orientation are read and written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from csrgan.data import decoding, picture
from csrgan.errors import UserError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (20, 30, 3), np.uint16)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm"])
def test_lossless_formats_return_the_same_pixels(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    picture.write(file, torch.from_numpy(COLOUR / np.float32(255)).permute(2, 0, 1))
    found = picture.read(file)
    assert np.array_equal(found.pixels, COLOUR)
    assert np.array_equal(np.asarray(Image.open(file).convert("RGB")), COLOUR)


def test_jpeg_is_written_well(tmp_path: Path) -> None:
    smooth = np.linspace(0, 1, 64, dtype=np.float32)[None, None].repeat(64, 1).repeat(3, 0)
    picture.write(tmp_path / "a.jpg", torch.from_numpy(smooth))
    assert np.abs(picture.read(tmp_path / "a.jpg").tensor().numpy() - smooth).max() < 0.02


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", ["colour", "grey", "alpha"])
def test_16_bits_stay_16_bits(tmp_path: Path, suffix: str, kind: str) -> None:
    file, again = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    alpha = DEEP[:, :, :1]
    cv2.imwrite(str(file), {"colour": DEEP[:, :, ::-1], "grey": DEEP[:, :, 0], "alpha": np.dstack([DEEP[:, :, ::-1], alpha])}[kind])
    found = picture.read(file)
    expected = np.repeat(DEEP[:, :, :1], 3, axis=2) if kind == "grey" else DEEP
    assert np.array_equal(found.pixels, expected)
    assert (found.grey, found.alpha is not None) == (kind == "grey", kind == "alpha")
    picture.write(again, found.tensor(), like=found)
    assert np.array_equal(cv2.imread(str(again), cv2.IMREAD_UNCHANGED), cv2.imread(str(file), cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_exif_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int, bits: int) -> None:
    file = tmp_path / "a.png"
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = orientation
    Image.fromarray(COLOUR).save(file, exif=exif)
    found = picture.read(file).pixels if bits == 8 else decoding.upright(COLOUR, orientation)
    with Image.open(file) as image:
        assert np.array_equal(found, np.asarray(ImageOps.exif_transpose(image)))
    assert picture.size(file) == found.shape[:2]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image = Image.fromarray(COLOUR).convert(mode)
    image.save(file)
    found = picture.read(file)
    assert np.array_equal(found.pixels, np.asarray(image.convert("RGB")))
    assert found.grey == (mode in ("L", "LA", "1"))
    assert (found.alpha is not None) == mode.endswith("A")


def test_alpha_survives_and_grows_with_the_picture(tmp_path: Path) -> None:
    alpha = RNG.integers(0, 256, (20, 30), np.uint8)
    like = picture.Picture(COLOUR, alpha)
    picture.write(tmp_path / "a.png", like.tensor(), like)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png").getchannel("A")), alpha)
    picture.write(tmp_path / "b.png", torch.rand(3, 40, 60), like)
    assert Image.open(tmp_path / "b.png").size == (60, 40)


def test_a_file_that_is_not_a_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.jpg").touch()
    Image.fromarray(COLOUR).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:300])
    for name in ("text.png", "empty.jpg", "cut.png"):
        with pytest.raises(UserError, match=name):
            picture.read(tmp_path / name)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unknown file extension"):
        picture.write(tmp_path / "a.xyz", torch.rand(3, 4, 4))
    assert not list(tmp_path.iterdir())
