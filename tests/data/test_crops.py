"""Where a crop is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamed import photographs, same, stream

from csrgan.data.crops import detail


@pytest.fixture
def half_flat(tmp_path: Path) -> str:
    """A picture whose left half is flat."""
    pixels = np.full((160, 160, 3), 200, np.uint8)
    pixels[:, 80:] = np.random.default_rng(0).integers(0, 256, (160, 80, 3))
    Image.fromarray(pixels).save(tmp_path / "half.png")
    return str(tmp_path)


def test_flat_crops_are_drawn_again(half_flat: str) -> None:
    def flat(**change: object) -> int:
        crops = photographs(train=half_flat, **change).train_dataloader().dataset
        drawn = np.random.default_rng(1)
        return sum(detail(crops.cut(0, 32, drawn)) < 0.05 for _ in range(60))

    assert flat() > 15
    assert flat(min_detail=0.05) == 0
    one, other = (stream(photographs(train=half_flat, min_detail=0.05, **change)) for change in ({}, {"workers": 2}))
    assert same(one, other)


def test_a_flat_photograph_still_gives_a_crop(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    crops = photographs(train=str(tmp_path), min_detail=0.5).train_dataloader().dataset
    assert crops[0][0].shape == (32, 32, 3)


def test_detail_is_the_mean_step_between_neighbours() -> None:
    ramp = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (16, 64, 3))
    assert detail(np.ascontiguousarray(ramp)) == pytest.approx(4 / 255)
    assert detail(np.full((16, 16, 3), 7, np.uint8)) == 0
