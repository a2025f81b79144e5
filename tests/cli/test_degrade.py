"""csrgan degrade makes a set that can be published."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from csrgan.cli import main


def test_degrade_is_the_same_whatever_else_is_there(photographs: Path, tmp_path: Path) -> None:
    words = ("degrade", "seed=3", "per_image=2", "format=npy")
    assert main([*words, f"source={photographs}", f"destination={tmp_path}/all"]) == 0
    assert main([*words, f"source={photographs / 'colour.png'}", f"destination={tmp_path}/one"]) == 0
    for version in range(2):
        a, b = (np.load(tmp_path / which / "low" / f"colour_{version}.npy") for which in ("all", "one"))
        assert a.dtype == np.float32
        assert np.array_equal(a, b)
    rows = list(csv.DictReader((tmp_path / "all" / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 12
    assert set(rows[0]) == {"file", "blur_std", "blur_std_effective", "scale", "noise_std"}
    assert (tmp_path / "all" / "sheet.png").is_file()
