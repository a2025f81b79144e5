"""Intervals that hold nine tenths of the true values: found on photographs that were trained on, at the evaluation's size."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import train
from training import made

from csrgan.callbacks.calibration import degraded
from csrgan.cli import main
from csrgan.systems import checkpoint

NLL = ("loss/parameters=nll", "loss/adversarial=none")


def test_nine_tenths_of_what_was_looked_at_lie_inside_and_the_factor_is_numpys_quantile() -> None:
    system, data = made("csrgan", *NLL)
    batches = list(degraded(data.calibration(49)[0], data, system))
    theta, spread, true = [], [], []
    for batch in batches:
        with torch.no_grad():
            found = system.average.eval()(batch.low)
        theta.append(found.theta)
        spread.append((0.5 * found.log_variance).exp())
        true.append(system.prior.normalise(batch.parameters))
    distance = ((torch.cat(theta) - torch.cat(true)).abs() / torch.cat(spread)).double().numpy()
    system.calibrate(batches)
    expected = np.quantile(distance, 45 / 49, axis=0, method="inverted_cdf") / 1.6448536  # the 45th of 49: (49 + 1) 0.9
    np.testing.assert_allclose(system.calibration, [[32 * 32, *expected]], rtol=1e-4)
    held = np.zeros(3)
    for batch in batches:
        low, high = (system.prior.normalise(end) for end in system.restore(batch.low).interval)
        inside = system.prior.normalise(batch.parameters)
        held += ((low - 1e-4 <= inside) & (inside <= high + 1e-4))[0].numpy()
    assert (held == 45).all()


def test_it_looks_at_photographs_that_were_trained_on_each_in_a_degradation_of_its_own() -> None:
    _, data = made("csrgan", "evaluation.crop=64")
    crops, shown = (list(loader) for loader in data.calibration(14))
    assert all(item.sharp.shape == (1, 3, 32, 32) for item in crops)
    names = {item.names[0] for item in shown}
    assert names == set(data.pictures("data.train").names)
    assert not names & set(data.pictures("data.valid").names)
    assert all(item.sharp.shape == (1, 3, 64, 64) for item in shown)
    parameters = torch.cat([item.parameters.stack() for item in shown])
    assert len(parameters.unique(dim=0)) == 14
    assert (data.degradation.prior.normalise(shown[0].parameters) <= 1).all()
    for one, other in zip(shown, data.calibration(14)[1], strict=True):
        assert torch.equal(one.noise, other.noise)
        assert torch.equal(one.parameters.stack(), other.parameters.stack())


def test_few_are_spread_over_many_photographs() -> None:
    _, data = made("csrgan", "evaluation.crop=64")
    names = data.pictures("data.train").names
    assert [item.names[0] for item in data.calibration(3)[1]] == [names[k * len(names) // 3] for k in range(3)]


@pytest.mark.parametrize("head", ["bottleneck", "decoder_mean"])
def test_a_run_keeps_it_and_an_evaluation_gives_the_same_intervals(tmp_path: Path, head: str) -> None:
    train(tmp_path / "run", *NLL, f"parameter_head={head}")
    ((pixels, *found),) = checkpoint.read(tmp_path / "run")["csrgan"]["calibration"]
    assert pixels == 64 * 64  # crops and evaluated pictures are of one size here
    assert len(found) == 3
    assert all(factor > 0 for factor in found)
    grid = ("evaluation.crop=64", "evaluation.grid={blur: 2, scale: 2, noise: 1}", "panels=0")
    for folder, source in (("again", tmp_path / "run"), ("elsewhere", tmp_path / "published" / "network.ckpt")):
        if folder == "elsewhere":
            assert main(["publish", f"checkpoint={tmp_path}/run", f"destination={tmp_path}/published"]) == 0
        assert main(["evaluate", f"checkpoint={source}", f"run_dir={tmp_path}/{folder}", *grid]) == 0
        rows, before = (list(csv.DictReader((tmp_path / name / "results.csv").open())) for name in (folder, "run"))
        for row, old in zip(rows, before, strict=True):
            for name in ("blur_std_low90", "scale_high90", "noise_std_high90"):
                assert float(row[name]) == pytest.approx(float(old[name]), abs=1e-3)
    train(tmp_path / "without", *NLL, "trainer.calibrate=0")
    assert "calibration" not in checkpoint.read(tmp_path / "without")["csrgan"]


def test_between_two_sizes_a_factor_lies_between_theirs_and_beyond_them_it_is_theirs() -> None:
    system, _ = made("csrgan", *NLL)
    assert system._factors(5000) == [1, 1, 1]
    system.calibration = [[100.0**2, 0.9, 2.0, 1.0], [400.0**2, 0.5, 1.0, 3.0]]
    np.testing.assert_allclose(system._factors(200**2), [0.7, 1.5, 2.0])  # as many times one as the other is of it
    np.testing.assert_allclose(system._factors(50**2), [0.9, 2, 1])
    np.testing.assert_allclose(system._factors(4000 * 3000), [0.5, 1, 3])
