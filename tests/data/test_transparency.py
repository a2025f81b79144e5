"""Colours hidden under transparency have no effect elsewhere, and visible pixels stay unchanged."""

from __future__ import annotations

from pathlib import Path

import checkpoints
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from csrgan.cli import main
from csrgan.data import picture
from csrgan.data.transparency import FAINT, fill_faint

RNG = np.random.default_rng(0)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (64, 48), interpolation=cv2.INTER_CUBIC)
ROWS, COLUMNS = np.mgrid[:48, :64]
DISC = np.clip(200 - 8 * np.hypot(ROWS - 24, COLUMNS - 30), 0, 255).astype(np.uint8)  # opaque inside, soft at its edge


def hidden(pixels: NDArray[np.uint8], secret: int) -> NDArray[np.uint8]:
    """Replace the pixels of alpha 0 by extreme random colours."""
    return np.where(DISC[:, :, None] == 0, np.random.default_rng(secret).integers(0, 2, pixels.shape) * 255, pixels).astype(
        np.uint8
    )


def saved(file: Path, kind: str, secret: int) -> Path:
    pixels = hidden(SMOOTH, secret)
    if kind == "deep":
        cv2.imwrite(str(file), np.dstack([pixels[:, :, ::-1], DISC]).astype(np.uint16) * 257)
    elif kind == "palette":
        place = (ROWS * 64 + COLUMNS) % 200 // 2 * 2  # even: seen; odd: the same colour index, hidden
        image = Image.fromarray((place + (DISC == 0)).astype(np.uint8), "P")
        palette = RNG.permuted(np.random.default_rng(1).integers(0, 256, (256, 3), np.uint8))
        palette[1::2] = np.random.default_rng(secret).integers(0, 256, (128, 3))
        palette[0::2] = np.arange(0, 256, 2)[:, None]
        image.putpalette(palette.tobytes())
        image.save(file, transparency=bytes([255, 0] * 128))
    else:
        Image.fromarray(np.dstack([pixels, DISC])).convert(kind).save(file, lossless=True)
    return file


KINDS = ["RGBA png", "RGBA webp", "RGBA tif", "LA png", "deep png", "deep tif", "palette png"]


@pytest.mark.parametrize(("kind", "suffix"), [kind.split() for kind in KINDS], ids=KINDS)
def test_hidden_colours_do_not_affect_what_is_read(tmp_path: Path, kind: str, suffix: str) -> None:
    one, other = (picture.read(saved(tmp_path / f"{secret}.{suffix}", kind, secret)) for secret in (1, 2))
    assert one.alpha is not None
    assert np.array_equal(one.alpha, other.alpha)
    assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.eight_bits, other.eight_bits)
    assert torch.equal(one.tensor(), other.tensor())
    seen = one.alpha >= FAINT * one.full_scale
    if kind != "palette":
        expected = np.asarray(Image.fromarray(SMOOTH).convert("L").convert("RGB")) if kind == "LA" else SMOOTH
        assert np.array_equal(one.eight_bits[seen], expected[seen])
    assert np.array_equal((one.tensor().permute(1, 2, 0).numpy()[seen] * one.full_scale).round(), one.pixels[seen])


def test_the_fill_continues_the_visible_colours() -> None:
    """The border of the fill shows no edge, and far from it the fill is the mean of the visible colours."""
    filled = fill_faint(hidden(SMOOTH, 1), DISC).astype(np.int16)
    seen = DISC >= FAINT * 255
    for axis in (0, 1):
        border = np.diff(seen, axis=axis)
        assert np.abs(np.diff(filled, axis=axis))[border].max() <= 40  # of 255; inside the picture it changes by up to 31
    assert np.array_equal(filled[seen], SMOOTH[seen])
    lone = np.zeros((33, 70), np.uint8)
    lone[5, 9] = 255
    assert (fill_faint(np.full((33, 70, 3), 90, np.uint8), lone) == 90).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_fully_transparent_picture_is_read_and_written(tmp_path: Path, dtype: type) -> None:
    pixels = np.dstack([RNG.integers(0, 255, (7, 5, 3)), np.zeros((7, 5))]).astype(dtype)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    found = picture.read(tmp_path / "a.png")
    assert not found.tensor().any()
    picture.write(tmp_path / "b.png", found.tensor(), like=found)
    assert not cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED).any()


def test_faint_pixels_have_little_weight_and_are_kept(tmp_path: Path) -> None:
    """The network sees nearly the surrounding colours in a pixel of alpha 1/255; the file keeps its own."""
    pixels, alpha = np.full((16, 16, 3), 100, np.uint8), np.full((16, 16), 255, np.uint8)
    pixels[4:8, 4:8], alpha[4:8, 4:8] = 255, 1
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "a.png")
    found = picture.read(tmp_path / "a.png")
    assert float(found.tensor().max()) * 255 < 100 + (255 - 100) / (255 * FAINT) + 1
    picture.write(tmp_path / "b.png", found.tensor(), like=found)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png")), np.dstack([pixels, alpha]))


@pytest.mark.parametrize("enlarge", [1.0, 1.5])
def test_restore_reveals_no_hidden_colours(tmp_path: Path, enlarge: float) -> None:
    checkpoints.save(tmp_path / "a.ckpt")
    found = []
    for secret in (1, 2):
        folder = tmp_path / str(secret)
        folder.mkdir()
        saved(folder / "a.png", "RGBA", secret)
        words = [f"source={folder}", f"destination={folder / 'out'}", f"checkpoint={tmp_path / 'a.ckpt'}", f"enlarge={enlarge}"]
        assert main(["restore", *words, "device=cpu"]) == 0
        found.append((np.asarray(Image.open(folder / "out" / "a.png")), (folder / "out" / "parameters.csv").read_text()))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
