"""csrgan degrade makes a set that can be published."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import witness
from PIL import Image

from csrgan.cli import main
from csrgan.degradation.chain import Chain


@pytest.mark.parametrize("protocol", ["readme", "gaussian8_x3", "srmd_x2", "div2krk_x4"])
def test_a_stranger_makes_the_same_from_the_files_alone(photographs: Path, tmp_path: Path, protocol: str) -> None:
    """SciPy and Pillow, given sharp/ and parameters.csv (and kernels.npy) and the protocol's two constants."""
    words = ("degradation.noise={low: 0.0, high: 0.0, uniform_in: value}", "per_image=2", "format=npy", "crop=60")
    assert main(["degrade", f"degradation={protocol}", *words, f"source={photographs}", f"destination={tmp_path}/set"]) == 0
    rows = list(csv.DictReader((tmp_path / "set" / "parameters.csv").open(encoding="utf-8")))
    own = np.load(tmp_path / "set" / "kernels.npy") if (tmp_path / "set" / "kernels.npy").exists() else [None] * len(rows)
    assert (own[0] is None) == ("kernel_std_major" not in rows[0])
    constants = {
        "readme": Chain(),
        "gaussian8_x3": Chain(kernel_size=21, output="native"),
        "srmd_x2": Chain(output="native"),
        "div2krk_x4": Chain(downsampling="direct", output="native"),
    }[protocol]
    for row, kernel in zip(rows, own, strict=True):
        sharp = np.asarray(Image.open(tmp_path / "set" / "sharp" / row["file"].replace(".npy", ".png")), np.float64) / 255
        low = np.load(tmp_path / "set" / "low" / row["file"])
        expected = witness.chain(sharp.transpose(2, 0, 1), float(row["blur_std"]), float(row["scale"]), constants, kernel)
        np.testing.assert_allclose(low, expected, atol=1e-4)
        if kernel is not None:
            place = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
            y, x = (kernel.sum(axis=axis, dtype=np.float64) @ place for axis in (1, 0))
            assert (float(row["kernel_centre_y"]), float(row["kernel_centre_x"])) == pytest.approx((y, x), abs=1e-5)


def test_pictures_smaller_than_the_crop_stay_whole(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["degrade", f"source={photographs}", f"destination={tmp_path}/set", "crop=5000"]) == 0
    assert "are smaller than crop=5000 and stay so" in capsys.readouterr().out


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


def test_what_an_earlier_run_wrote_among_the_photographs_is_none_of_them(photographs: Path, tmp_path: Path) -> None:
    shutil.copytree(photographs, tmp_path / "mine")
    words = ["degrade", f"source={tmp_path}/mine", f"destination={tmp_path}/mine/set", "crop=64"]
    rows = []
    for _ in range(2):
        assert main(words) == 0
        rows.append((tmp_path / "mine" / "set" / "parameters.csv").read_text(encoding="utf-8"))
    assert rows[0] == rows[1]
