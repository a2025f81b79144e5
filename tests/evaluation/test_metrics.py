from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.evaluation import metrics, results
from csrgan.records import Batch, Restoration

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}
CHAIN = DegradationSpec()


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


def test_the_channels_statistics_are_those_of_a_known_change(chelsea: Tensor) -> None:
    changed = torch.tensor([1.0, 0.5, 2.0]).view(1, 3, 1, 1) * chelsea + torch.tensor([0.1, 0.0, -0.2]).view(1, 3, 1, 1)
    found = metrics.channel_statistics(changed, chelsea)
    assert [found[f"contrast_{name}"] for name in metrics.COLOURS] == pytest.approx([1.0, 0.5, 2.0], rel=1e-5)
    assert found["shift_red"] == pytest.approx(0.1, abs=1e-6)
    assert found["shift_blue"] == pytest.approx(float(chelsea[:, 2].mean()) - 0.2, abs=1e-6)


def test_high_frequencies_are_those_above_a_quarter_of_a_cycle() -> None:
    """A wave on either side of the bound: halved in amplitude it has a quarter of the energy, or makes no difference."""
    x = torch.arange(128.0)
    slow, fast = (torch.sin(2 * math.pi * frequency * x).expand(1, 3, 128, 128) for frequency in (0.1, 0.4))
    sharp = 0.5 + 0.2 * slow + 0.2 * fast
    assert metrics.hf_ratio(sharp, sharp) == 1
    assert metrics.hf_ratio(0.5 + 0.2 * slow + 0.1 * fast, sharp) == pytest.approx(0.25, abs=1e-3)
    assert metrics.hf_ratio(0.5 + 0.1 * slow + 0.2 * fast, sharp) == pytest.approx(1.0, abs=1e-3)
    assert math.isnan(metrics.hf_ratio(sharp, torch.full_like(sharp, 0.5)))


def test_the_sharp_picture_degraded_again_is_as_far_from_l_as_the_noise(chelsea: Tensor) -> None:
    prior = Prior(**README)
    theta = prior.quantiles(torch.tensor([[0.1, 0.0, 0.2]]))
    low = degrade(chelsea, theta, noise=torch.randn_like(chelsea))
    found = results.row(Batch(chelsea, low, theta, ("a",)), Restoration(chelsea, theta), prior)
    # Noise through the bicubic up-sampling at scale 1 is left as it is, but for what is clipped.
    assert found["consistency_restored"] == pytest.approx(-20 * math.log10(float(theta.noise_std)), abs=0.1)
    assert found["consistency_predicted"] == pytest.approx(found["consistency_restored"], abs=1e-3)
    wrong = results.row(Batch(chelsea, low, theta, ("a",)), Restoration(chelsea, prior.mean()), prior)
    assert wrong["consistency_predicted"] < found["consistency_predicted"] - 1


def test_a_blur_bin_is_the_summary_of_its_rows(chelsea: Tensor) -> None:
    prior = Prior(**README)
    small = chelsea[..., :32, :32]
    cells = prior.grid(blur=7, scale=1, noise=1)
    each = [Batch(small, degrade(small, cells[k : k + 1]), cells[k : k + 1], ("a",)) for k in range(7)]
    rows = [results.row(batch, Restoration(batch.low, prior.mean()), prior) for batch in each]
    bins = results.by_blur(rows)
    assert [found["rows"] for found in bins] == [1, 1, 2, 1, 2]
    assert bins[2]["psnr_low"] == pytest.approx((rows[2]["psnr_low"] + rows[3]["psnr_low"]) / 2)
    assert (bins[2]["blur_std_low"], bins[2]["blur_std_high"]) == (rows[2]["blur_std"], rows[3]["blur_std"])
    assert all(math.isfinite(value) for found in bins for key, value in found.items() if not key.endswith(("_r2", "_mae_share")))
    assert "scale_r2" not in bins[2]  # the scale is the same everywhere
    assert results.by_set(rows) == {}
    rows = [row | {"image": f"Set{5 + 9 * (k > 4)}/{k}.png"} for k, row in enumerate(rows)]
    sets = results.by_set(rows)
    assert {name: found["rows"] for name, found in sets.items()} == {"Set5": 5, "Set14": 2}
    assert sets["Set14"]["psnr_low"] == pytest.approx((rows[5]["psnr_low"] + rows[6]["psnr_low"]) / 2)
