"""The quality in a file's tables is that with which Pillow wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from csrgan.data.jpeg_tables import quality_in

PICTURE = Image.fromarray(skimage.data.astronaut()[:40, :60])


@pytest.mark.parametrize("quality", [1, 5, 24, 50, 51, 75, 90, 99, 100])
def test_it_is_that_with_which_the_file_was_written(tmp_path: Path, quality: int) -> None:
    PICTURE.save(tmp_path / "a.jpg", quality=quality)
    assert quality_in(tmp_path / "a.jpg") == quality


def test_a_grey_file_has_one_too(tmp_path: Path) -> None:
    PICTURE.convert("L").save(tmp_path / "grey.jpg", quality=80)
    assert quality_in(tmp_path / "grey.jpg") == 80


def test_tables_of_another_program_have_that_of_tables_about_as_coarse(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "camera.jpg", quality=85, qtables=[[max(1, k // 4) for k in range(64)]] * 2)
    quality = quality_in(tmp_path / "camera.jpg")
    assert quality is not None and 70 < quality < 99


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_other_files_have_none(tmp_path: Path, suffix: str) -> None:
    PICTURE.save(tmp_path / f"a.{suffix}")
    assert quality_in(tmp_path / f"a.{suffix}") is None


def test_what_is_no_picture_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff no")
    assert quality_in(tmp_path / "a.jpg") is None
    assert quality_in(tmp_path / "missing.jpg") is None
