"""Intervals hold nine tenths of the true values: calibrated on photographs outside the training set, in the evaluation's size."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import train
from systems import made
from torch import Tensor

from csrgan.calibration import Calibration, Distances, conformal
from csrgan.callbacks.calibration import degraded
from csrgan.cli import main
from csrgan.degradation.prior import NINETY
from csrgan.runs import checkpoint

NLL = ("loss/parameters=nll", "loss/adversarial=none")


def test_nine_tenths_of_the_calibration_set_lie_inside_and_the_factor_is_numpys_quantile() -> None:
    system, data = made("csrgan", *NLL)
    batches = list(degraded(data.calibration(49)[0], data, system))
    theta, spread, true = [], [], []
    for batch in batches:
        with torch.no_grad():
            found = system.ema.eval()(batch.low)
        theta.append(found.theta)
        spread.append((0.5 * found.log_variance).exp())
        true.append(system.restorer.prior.normalise(batch.parameters))
    distance = ((torch.cat(theta) - torch.cat(true)).abs() / torch.cat(spread)).double().numpy()
    system.restorer.calibrate(batches)
    expected = np.quantile(distance, 45 / 49, axis=0, method="inverted_cdf") / 1.6448536  # the 45th of 49: (49 + 1) 0.9
    np.testing.assert_allclose(system.restorer.calibration.rows, [[32 * 32, *expected]], rtol=1e-4)
    held = np.zeros(3)
    for batch in batches:
        low, high = (system.restorer.prior.normalise(end) for end in system.restorer.restore(batch.low).interval)
        inside = system.restorer.prior.normalise(batch.parameters)
        held += ((low - 1e-4 <= inside) & (inside <= high + 1e-4))[0].numpy()
    assert (held == 45).all()


def test_the_calibration_set_is_from_data_valid_half_of_it_in_cells_of_the_grid() -> None:
    _, data = made("csrgan", "evaluation.crop=64")
    crops, shown = (list(loader) for loader in data.calibration(28))
    names = data.pictures("data.valid").names
    assert all(item.sharp.shape == (1, 3, 32, 32) for item in crops)
    assert all(item.sharp.shape == (1, 3, 64, 64) for item in shown)
    assert [item.names[0] for item in shown] == [name for name in names for _ in range(14)]
    parameters = torch.cat([item.parameters.stack() for item in shown])
    assert len(parameters[::2].unique(dim=0)) == 14
    cells = data.degradation.prior.grid(**data.arguments()["grid"]).realised(64, 64).stack()
    assert torch.equal(parameters[1::2], cells[torch.arange(14) % len(cells)])
    evaluated = [item.noise for item in data.val_dataloader()]
    for one, other in zip(shown, data.calibration(28)[1], strict=True):
        assert torch.equal(one.noise, other.noise)
        assert torch.equal(one.parameters.stack(), other.parameters.stack())
        assert not any(torch.equal(one.noise, noise) for noise in evaluated)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_photographs_are_used_equally_often_or_spread_over_the_set(count: int) -> None:
    _, data = made("csrgan", "data.valid=[astronaut,chelsea,coffee]")
    names = data.pictures("data.valid").names
    assert [item.names[0] for item in data.calibration(count)[0]] == [names[k * 3 // count] for k in range(count)]


def test_a_photograph_is_evaluated_with_a_calibration_that_leaves_it_out() -> None:
    """The witness is a system that has never seen the photograph."""
    system, data = made("csrgan", *NLL, "data.valid=[astronaut,chelsea,coffee]")
    batches = list(degraded(data.calibration(30)[0], data, system))
    system.restorer.calibrate(batches)
    low = batches[0].low
    found = {name: system.restorer.restore(low, (name,)).spread.stack() for name in (*data.pictures("data.valid").names, "another")}
    assert torch.equal(found["another"], system.restorer.restore(low).spread.stack())
    for name in system.restorer.calibration.leave_one_out:
        system.restorer.calibrate([batch for batch in batches if name not in batch.names])
        torch.testing.assert_close(found[name], system.restorer.restore(low).spread.stack())
    assert len({tuple(spread[0].tolist()) for spread in found.values()}) > 1
    system.restorer.calibrate([batch for batch in batches if batch.names == batches[0].names])
    assert system.restorer.calibration.leave_one_out == {batches[0].names[0]: [[32 * 32, 1, 1, 1]]}


@pytest.mark.parametrize("head", ["bottleneck", pytest.param("decoder_mean", marks=pytest.mark.long)])
def test_a_run_saves_its_calibration_and_an_evaluation_gives_the_same_intervals(tmp_path: Path, head: str) -> None:
    train(tmp_path / "run", *NLL, f"parameter_head={head}")
    content = checkpoint.read(tmp_path / "run")["csrgan"]
    ((pixels, *found),) = content["calibration"]
    factors = {name: rows[0][3] for name, rows in content["loo_calibration"].items()} | {"": found[2]}
    assert len(set(factors.values())) > 1
    assert pixels == 64 * 64  # crops and evaluated pictures are of one size here
    assert len(found) == 3
    assert all(factor > 0 for factor in found)
    grid = ("evaluation.crop=64", "evaluation.grid={blur: 2, scale: 1, noise: 1}", "panels=0")
    for folder, source in (("again", tmp_path / "run"), ("elsewhere", tmp_path / "published" / "network.safetensors")):
        if folder == "elsewhere":
            assert main(["publish", f"checkpoint={tmp_path}/run", f"destination={tmp_path}/published"]) == 0
        assert main(["evaluate", f"checkpoint={source}", f"run_dir={tmp_path}/{folder}", *grid]) == 0
        rows, before = (list(csv.DictReader((tmp_path / name / "results.csv").open())) for name in (folder, "run"))
        for row, old in zip(rows, before, strict=True):
            factor = factors[row["image"] if folder == "again" else ""] / factors[row["image"]]
            spread, expected = (float(each["noise_std_predicted_std"]) for each in (row, old))
            assert spread == pytest.approx(factor * expected, rel=0.02)  # nearly, for it ends where the prior ends


def test_a_run_without_spreads_saves_no_calibration(tmp_path: Path) -> None:
    train(tmp_path / "without", *NLL, "trainer.calibration_images=0")
    assert "calibration" not in checkpoint.read(tmp_path / "without")["csrgan"]


def test_factors_are_interpolated_between_sizes_and_constant_beyond() -> None:
    calibration, stds = Calibration(), torch.full((1, 3), 0.1)
    assert calibration.factors(5000, stds).tolist() == [[1, 1, 1]]
    calibration.rows = [[100.0**2, 0.9, 2.0, 1.0], [400.0**2, 0.5, 1.0, 3.0]]
    for pixels, expected in ((200**2, [0.7, 1.5, 2.0]), (50**2, [0.9, 2, 1]), (4000 * 3000, [0.5, 1, 3])):
        np.testing.assert_allclose(calibration.factors(pixels, stds)[0], expected, rtol=1e-6)


def test_nine_tenths_hold_in_clear_and_in_hard_pictures() -> None:
    """Predicted standard deviations that are right in hard pictures and four times too large in clear ones."""
    generator = torch.Generator().manual_seed(0)

    def drawn(count: int) -> tuple[Tensor, Tensor]:
        stds = 10 ** (-2 + 1.5 * torch.rand(count, 1, generator=generator))
        true = torch.where(stds > 0.05, stds, stds / 4)
        return torch.randn(count, 1, generator=generator).abs() * true / stds, stds

    distances, stds = drawn(4000)
    calibration = Calibration.fit([Distances(64.0**2, ["a"] * 4000, distances, stds)])
    distances, stds = drawn(4000)
    inside = distances <= NINETY * calibration.factors(64**2, stds)
    for which in (stds < 0.02, stds > 0.1):
        assert float(inside[which].float().mean()) == pytest.approx(0.9, abs=0.025)
    one = Calibration([[64.0**2, *conformal(distances)]])
    assert float((distances <= NINETY * one.factors(64**2, stds))[stds < 0.02].float().mean()) > 0.99


def test_factors_of_levels_are_numpys_interpolation() -> None:
    row = [64.0**2, *(0.5, 2.0), *(1.0, 3.0), *(1.5, 1.0), *(0.01, 0.02), *(0.1, 0.1), *(0.2, 0.3)]
    stds = torch.tensor([[0.001, 0.05], [0.03, 0.1], [0.5, 0.29]], dtype=torch.float64)
    found = Calibration([row]).factors(100, stds)
    for k, (levels, factors) in enumerate((((0.01, 0.1, 0.2), (0.5, 1.0, 1.5)), ((0.02, 0.1, 0.3), (2.0, 3.0, 1.0)))):
        np.testing.assert_allclose(found[:, k], np.interp(stds[:, k].log(), np.log(levels), factors), rtol=1e-12)
