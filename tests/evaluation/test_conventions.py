"""Scores of 8-bit pictures, as MATLAB's programs and DAN's take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

import csrgan
from csrgan.cli import main
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.evaluation import results
from csrgan.records import Batch, Restoration
from csrgan.restorers.bicubic import Bicubic

PRIOR = Prior({"low": 0, "high": 50, "uniform_in": "variance"}, {"low": 1, "high": 3}, {"low": 0, "high": 10 / 255})


def scored(sharp: Tensor, image: Tensor, convention: str, scale: float = 2.0) -> results.Row:
    theta = Parameters(*(torch.tensor([value]) for value in (0.0, scale, 0.0)))
    batch = Batch(sharp, sharp.flip(1), theta, ("chelsea",), convention=convention)
    return results.row(batch, Restoration(image, trace=(Restoration(image),)), PRIOR)


@pytest.fixture
def noisy(chelsea: Tensor) -> Tensor:
    return (chelsea + 0.05 * torch.randn_like(chelsea)).clamp(0, 1)


def test_matlab_scores_the_rounded_luma_of_8_bit_pictures_as_scikit_image_does(chelsea: Tensor, noisy: Tensor) -> None:
    row = scored(chelsea, noisy, "matlab", scale=3.0)
    eight = [(image[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8) for image in (chelsea, noisy)]
    true, mine = (np.round(rgb2ycbcr(image)[3:-3, 3:-3, 0]) for image in eight)
    assert row["psnr_y_restored"] == pytest.approx(peak_signal_noise_ratio(true, mine, data_range=255), abs=1e-4)
    similarity = structural_similarity(
        true, mine, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )[1]
    assert row["ssim_y_restored"] == pytest.approx(float(similarity[5:-5, 5:-5].mean()), abs=3e-5)


def test_eight_bits_scores_what_a_file_of_s_would_hold(chelsea: Tensor, noisy: Tensor) -> None:
    as_file = (noisy * 255).round() / 255
    assert scored(chelsea, noisy, "eight_bits") == scored(chelsea, as_file, "exact")
    assert scored(chelsea, noisy, "eight_bits") != scored(chelsea, noisy, "exact")
    assert scored(chelsea, noisy, "matlab")["psnr_y_restored"] != scored(chelsea, as_file, "exact")["psnr_y_restored"]


def test_python_has_the_same_conventions() -> None:
    few = {"crop": 64, "grid": {"blur": 1, "scale": 1, "noise": 1}}
    rows = {name: csrgan.evaluate(Bicubic(), ["chelsea"], "readme", convention=name, **few).rows for name in ("exact", "matlab")}
    assert rows["exact"] == csrgan.evaluate(Bicubic(), ["chelsea"], "readme", **few).rows
    assert rows["exact"][0]["psnr_y_low"] != rows["matlab"][0]["psnr_y_low"]


def test_an_evaluation_by_matlabs_convention_is_of_whole_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "system=bicubic", "degradation=readme", "evaluation=matlab", "panels=0"]
    grid = ["evaluation.grid={blur: 1, scale: 1, noise: 1}", "data.valid=[chelsea]"]
    assert main([*words, *grid, f"run_dir={tmp_path}/a"]) == 0
    text = (tmp_path / "a" / "config.yaml").read_text()
    assert "convention: matlab" in text
    assert "crop: null" in text
    assert main([*words, *grid, "evaluation.convention=octave"]) == 2
    assert "evaluation.convention has no octave. Its choices: eight_bits, exact, matlab." in capsys.readouterr().err
