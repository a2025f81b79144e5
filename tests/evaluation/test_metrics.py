from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.evaluation import metrics, results
from csrgan.records import Batch, Restoration

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}


@pytest.fixture
def noisy(chelsea: Tensor) -> Tensor:
    return (chelsea + 0.05 * torch.randn_like(chelsea)).clamp(0, 1)


def test_psnr_equals_scikit_image(chelsea: Tensor, noisy: Tensor) -> None:
    expected = peak_signal_noise_ratio(chelsea.double().numpy(), noisy.double().numpy(), data_range=1)
    assert metrics.psnr(noisy, chelsea) == pytest.approx(expected, abs=1e-5)
    assert metrics.psnr(chelsea, chelsea) == 100


def test_ssim_equals_scikit_image(chelsea: Tensor, noisy: Tensor) -> None:
    expected = structural_similarity(
        chelsea[0].double().numpy(),
        noisy[0].double().numpy(),
        channel_axis=0,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert metrics.ssim(noisy, chelsea) == pytest.approx(expected, abs=1e-5)
    assert math.isnan(metrics.ssim(chelsea[..., :8, :8], noisy[..., :8, :8]))


def test_luma_equals_scikit_image(chelsea: Tensor) -> None:
    expected = rgb2ycbcr(chelsea[0].permute(1, 2, 0).double().numpy())[3:-3, 3:-3, 0] / 255
    np.testing.assert_allclose(metrics.luma(chelsea, 3)[0, 0].double().numpy(), expected, atol=1e-6)


def test_a_row_and_its_summary(chelsea: Tensor, noisy: Tensor) -> None:
    prior = Prior(**README)
    theta = prior.quantiles(torch.tensor([[0.2, 0.7, 0.9]]))
    rows = [
        results.row(Batch(chelsea, noisy, theta, ("chelsea.png",)), Restoration(chelsea, theta), prior),
        results.row(Batch(chelsea, noisy, theta, ("chelsea.png",)), Restoration(noisy, prior.mean()), prior),
    ]
    summary = results.summarise(rows)
    assert rows[0]["psnr_restored"] == 100
    assert rows[1]["psnr_restored"] == rows[1]["psnr_low"]
    assert summary["gain_db"] == pytest.approx(summary["psnr_restored"] - summary["psnr_low"])
    for name in ("blur_std", "scale", "noise_std"):
        assert rows[0][f"{name}_predicted"] == rows[0][name]  # no error at the truth
        assert summary[f"{name}_mae"] == pytest.approx(summary[f"{name}_mae_prior_mean"] / 2)


def test_a_system_that_predicts_nothing_has_no_parameter_columns(chelsea: Tensor) -> None:
    prior = Prior(**README)
    row = results.row(Batch(chelsea, chelsea, prior.mean(), ("a",)), Restoration(chelsea), prior)
    assert "blur_std_predicted" not in row
    assert "blur_std_mae" not in results.summarise([row])


def test_r2_is_one_at_the_truth_and_zero_at_the_mean(chelsea: Tensor) -> None:
    prior = Prior(**README)
    small = chelsea[..., :32, :32]
    cells = prior.quantiles(torch.tensor([[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]))
    middle = Parameters.unstack(cells.stack().mean(dim=0, keepdim=True))
    for answer, r2 in ((lambda k: cells[k : k + 1], 1.0), (lambda k: middle, 0.0)):
        rows = [results.row(Batch(small, small, cells[k : k + 1], ("a",)), Restoration(small, answer(k)), prior) for k in range(2)]
        assert results.summarise(rows)["scale_r2"] == pytest.approx(r2, abs=1e-6)
