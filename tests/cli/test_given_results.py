"""csrgan evaluate results=FOLDER scores pictures that exist already."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from csrgan.cli import main

ONE = "evaluation.grid={blur: 1, scale: 1, noise: 1}"
SIZES = {"cat": (96, 80), "cup": (70, 66)}  # px; no multiples of 4


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H, its L of a quarter (sides rounded up) and S, under the names that programs give them."""
    folder = tmp_path_factory.mktemp("given")
    for name in ("HR", "LR", "SR"):
        (folder / name).mkdir()
    for (name, (width, height)), array in zip(SIZES.items(), (skimage.data.chelsea(), skimage.data.coffee()), strict=True):
        sharp = Image.fromarray(array[100 : 100 + height, 100 : 100 + width])
        low = sharp.resize((-(-width // 4), -(-height // 4)), Image.Resampling.BICUBIC)
        sharp.save(folder / "HR" / f"{name}.png")
        low.save(folder / "LR" / f"{name}x4.png")
        low.resize((4 * low.width, 4 * low.height), Image.Resampling.BICUBIC).save(folder / "SR" / f"{name}_SwinIR.png")
    return folder


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


def test_pairs_are_scored_as_scikit_image_scores_them(pictures: Path, tmp_path: Path) -> None:
    """S may be larger than H by less than a pixel of L: the upper left part is scored."""
    pairs = [f"data.valid.low={pictures}/LR", f"data.valid.sharp={pictures}/HR", "data=pairs", "evaluation=whole"]
    assert main(["evaluate", f"results={pictures}/SR", *pairs, "panels=1", f"run_dir={tmp_path}/a"]) == 0
    found = rows(tmp_path / "a")
    assert found.keys() == {"cat.png", "cup.png"}
    for name, (width, height) in SIZES.items():
        sharp = np.asarray(Image.open(pictures / "HR" / f"{name}.png"))
        restored = np.asarray(Image.open(pictures / "SR" / f"{name}_SwinIR.png"))[:height, :width]
        row = found[f"{name}.png"]
        assert float(row["psnr_restored"]) == pytest.approx(peak_signal_noise_ratio(sharp, restored), abs=1e-3)
        ssim = structural_similarity(
            sharp, restored, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        assert float(row["ssim_restored"]) == pytest.approx(ssim, abs=1e-3)
    assert (tmp_path / "a" / "summary.json").is_file() and len(list((tmp_path / "a" / "panels").iterdir())) == 1
    assert main(["report", str(tmp_path / "a")]) == 0


def test_a_crop_of_the_evaluation_is_the_same_part_of_both(pictures: Path, tmp_path: Path) -> None:
    """H itself as S is without error wherever it is cut."""
    there = ["degradation=readme", "data=folder", f"data.valid={pictures}/HR", ONE, "panels=0"]
    assert main(["evaluate", f"results={pictures}/HR", *there, "evaluation.crop=48", f"run_dir={tmp_path}/a"]) == 0
    assert {row["ssim_restored"] for row in rows(tmp_path / "a").values()} == {"1.0"}


def test_what_cannot_be_scored_is_one_sentence(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, end = ["data=folder", f"data.valid={pictures}/HR"], f"run_dir={tmp_path}/a"

    def said(*words: str) -> str:
        assert main(["evaluate", *words, "panels=0", end]) == 2
        assert not (tmp_path / "a").exists()
        return capsys.readouterr().err

    pairs = ["data=pairs", f"data.valid.low={pictures}/LR", f"data.valid.sharp={pictures}/HR"]
    sentence = said(f"results={pictures}/LR", *pairs)
    assert "catx4.png has 24x20 px, and the sharp picture 96x80" in sentence and "(1 more are like it)" in sentence
    assert "it is 1 times as large as L, and a scale of 4 fits." in sentence
    assert "a scale of 4 times that of the program fits" in said(f"results={pictures}/LR", "degradation=readme", ONE, *folder)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "cat.png").write_bytes((pictures / "HR" / "cat.png").read_bytes())
    assert "has no other picture, and none of cup.png" in said(f"results={tmp_path}/one", "degradation=readme", ONE, *folder)
    assert "degradation is needed beside results=" in said(f"results={pictures}/SR", *folder)
    assert "this evaluation degrades each 12 times" in said(f"results={pictures}/SR", "degradation=readme", *folder)
    assert "leave checkpoint and system out" in said(f"results={pictures}/SR", "system=bicubic", *pairs)
    assert "results=nowhere is not a folder" in said("results=nowhere", *pairs)
