"""The field's sets, and its way of scoring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from csrgan.data.benchmark import Sets
from csrgan.data.cache import Cache
from csrgan.data.grid import centre
from csrgan.fault import Fault


def test_the_sharp_pictures_of_each_set_are_found(tmp_path: Path) -> None:
    for name in (
        "Set5/HR/baby.png",
        "Set5/LRbicx4/baby.png",
        "Set14/image_SRF_4/img_001_SRF_4_HR.png",
        "Set14/image_SRF_4/img_001_SRF_4_LR.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / name)
    cache, quiet = Cache(tmp_path / "cache", 1), Console(quiet=True)
    found = Sets(folder=str(tmp_path), sets=["Set5", "Set14"]).pictures(cache, [], quiet)
    assert found.names == ["Set5/baby.png", "Set14/img_001_SRF_4_HR.png"]
    with pytest.raises(Fault, match=r"has no Urban100\. Its choices: Set14, Set5, cache"):
        Sets(folder=str(tmp_path), sets=["Urban100"]).pictures(cache, [], quiet)
    with pytest.raises(Fault, match=r"data\.valid\.folder is empty"):
        Sets(folder=None, sets=["Set5"])


def test_whole_pictures_lose_their_lower_and_right_edges() -> None:
    """modcrop, as the field's programs do it."""
    pixels = np.arange(11 * 14 * 3).reshape(11, 14, 3)
    assert np.array_equal(centre(pixels, None, 4), pixels[:8, :12])
