"""Whole commands on given pairs of degraded and sharp pictures: what csrgan degrade wrote, and pairs of unknown degradation."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from commands import train
from composed import SMALL
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import csrgan
from csrgan import Degradation, Photographs
from csrgan.cli import main
from csrgan.degradation.kernel_priors import Anisotropic
from csrgan.restorers.bicubic import Bicubic

WHOLE = ("data=pairs", "evaluation=whole", "panels=0")
BICUBIC = ("system=bicubic", "degradation=readme")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `set` that csrgan degrade wrote: two pictures, each degraded twice, as large as H."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("chelsea", "coffee"):
        (folder / "photos").mkdir(exist_ok=True)
        Image.fromarray(getattr(skimage.data, name)()).save(folder / "photos" / f"{name}.png")
    assert main(["degrade", f"source={folder}/photos", f"destination={folder}/set", "crop=64", "per_image=2"]) == 0
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file))


def test_what_csrgan_degrade_wrote_is_read_back(made: Path, tmp_path: Path) -> None:
    """scikit-image's PSNR of the same files is the witness."""
    assert main(["evaluate", *BICUBIC, *WHOLE, f"data.valid={made}/set", f"run_dir={tmp_path}/a"]) == 0
    found = rows(tmp_path / "a")
    with (made / "set" / "parameters.csv").open(encoding="utf-8") as file:
        written = {line["file"]: line for line in csv.DictReader(file)}
    assert {row["image"] for row in found} == set(written) and len(written) == 4
    for row in found:
        low, sharp = (pixels(made / "set" / half / row["image"]) for half in ("low", "sharp"))
        assert float(row["psnr_low"]) == pytest.approx(peak_signal_noise_ratio(sharp, low), abs=0.01)
        for name in ("blur_std", "scale", "noise_std"):
            assert float(row[name]) == pytest.approx(float(written[row["image"]][name]))
    halves = [f"data.valid.{half}={made}/set/{half}" for half in ("low", "sharp")]
    assert main(["evaluate", *BICUBIC, *WHOLE, *halves, f"run_dir={tmp_path}/b"]) == 0
    assert (tmp_path / "b" / "results.csv").read_bytes() == (tmp_path / "a" / "results.csv").read_bytes()
    (tmp_path / "set.csv").write_text("low,sharp\n" + "".join(f"set/low/{name},set/sharp/{name}\n" for name in written))
    (tmp_path / "set").symlink_to(made / "set")
    evaluation = csrgan.evaluate(Bicubic(), csrgan.Pairs(pairs=str(tmp_path / "set.csv")), crop=None)
    assert [row["psnr_low"] for row in evaluation.rows] == pytest.approx([float(row["psnr_low"]) for row in found])
    assert math.isnan(float(evaluation.rows[0]["blur_std"]))


def test_a_native_set_with_kernels_is_scored_with_its_truth(made: Path, tmp_path: Path) -> None:
    """Degraded again with the kernels that were read, H gives L but for its noise, of 40 dB at most; arrays are not rounded."""
    protocol = ("degradation=srmd_x2", "degradation.noise.high=0.01")
    there = (f"source={made}/photos", f"destination={tmp_path}/set", "crop=64", "format=npy")
    assert main(["degrade", *there, *protocol]) == 0
    assert main(["evaluate", "system=wiener", *protocol, *WHOLE, f"data.valid={tmp_path}/set", f"run_dir={tmp_path}/a"]) == 0
    assert all(float(row["psnr_restored"]) > float(row["psnr_low"]) and row["scale"] == "2.0" for row in rows(tmp_path / "a"))
    kernel = Anisotropic(ordered=True, noise=0.0, stages=1)
    ranges = {"blur": {"low": 0.1, "high": 10, "uniform_in": "variance"}, "scale": {"low": 2, "high": 2}}
    degradation = Degradation(**ranges, kernel=kernel, kernel_size=15, output="native")
    data = Photographs(valid=str(tmp_path / "set"), pairs=True, degradation=degradation, evaluation_crop=None)
    kernels = np.load(tmp_path / "set" / "kernels.npy")
    for index, item in enumerate(data.val_dataloader()):
        batch = data.on_after_batch_transfer(item, 0)
        assert np.array_equal(batch.parameters.kernel[0].numpy(), kernels[index])
        again = degradation.degrade(batch.sharp, batch.parameters)
        assert peak_signal_noise_ratio(again.numpy(), batch.low.numpy(), data_range=1) > 39
        assert float((255 * batch.low).frac().max()) > 0


def test_nothing_is_said_of_a_degradation_that_is_unknown(
    run: Path, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = [f"data.valid.{half}={tmp_path}/{name}" for half, name in (("low", "L"), ("sharp", "H"))]
    (tmp_path / "L").symlink_to(made / "set" / "low")
    (tmp_path / "H").symlink_to(made / "set" / "sharp")
    assert main(["evaluate", f"checkpoint={run}", *WHOLE[:2], "panels=1", *there, f"run_dir={tmp_path}/a"]) == 0
    said = capsys.readouterr().out
    assert "4 pairs, L as large as H; their degradation is not known" in said
    assert "nan" not in said and "Error of the predicted degradation" not in said and "Over the blur" not in said
    for row in rows(tmp_path / "a"):
        assert row["blur_std"] == row["scale"] == row["noise_std"] == row["consistency_restored"] == row["theta_error"] == ""
        assert float(row["blur_std_predicted"]) >= 0 and float(row["psnr_restored"]) > 0
        assert "nan" not in row.values()
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert None not in summary.values()
    assert not {"blur_std_mae", "theta_error", "consistency_restored"} & set(summary)
    assert main(["report", str(tmp_path / "a")]) == 0
    assert "| nan" not in (tmp_path / "a" / "report.md").read_text()  # as a value
    assert main(["evaluate", "system=wiener", "degradation=readme", *WHOLE, *there, f"run_dir={tmp_path}/b"]) == 2
    said = capsys.readouterr().err
    assert (
        "Wiener is given the true degradation (oracle=truth), and data.valid does not give blur_std, scale, noise_std of 4" in said
    )


def test_training_needs_theta_only_where_a_loss_does(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for half, name in (("low", "L"), ("sharp", "H")):
        (tmp_path / name).symlink_to(made / "set" / half)
    there = [
        f"data.{which}.{half}={tmp_path}/{name}" for which in ("train", "valid") for half, name in (("low", "L"), ("sharp", "H"))
    ]
    words = ("data=pairs", *there, "data.crop=32", "evaluation.crop=48")
    assert main(["train", f"run_dir={tmp_path}/a", "trainer=smoke", "logger=none", *SMALL[1:], *words]) == 2
    said = capsys.readouterr().err
    assert (
        "loss/parameters needs the true degradation, and data.train does not give blur_std, scale, noise_std of 4 of its 4" in said
    )
    assert "choose loss/parameters=none parameter_head=none, or give it as columns of data.train.pairs=FILE.csv" in said
    assert not (tmp_path / "a" / "checkpoints").exists()
    summary = train(tmp_path / "b", *words, "loss/parameters=none", "parameter_head=none", "data.train.share=0.5")
    assert summary["rows"] == 4
    assert "4 of 4 photographs of data.valid are also in data.train" in capsys.readouterr().out


def test_a_training_on_pairs_of_known_degradation_calibrates_its_intervals(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("data=pairs", f"data.train={made}/set", f"data.valid={made}/set", "data.crop=32", "evaluation.crop=48")
    summary = train(tmp_path / "a", *words, "loss/parameters=nll")
    assert {"blur_std_mae", "blur_std_coverage90", "theta_error"} <= set(summary)
    assert "intervals are calibrated on the sharp pictures of data.valid, degraded by the protocol" in capsys.readouterr().out


def test_pairs_are_prepared_and_a_stress_test_of_the_photographs_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "data=pairs", f"data.valid={made}/set", f"data.cache={tmp_path}/cache"]) == 0
    assert "data.valid: 4 pairs, 0.00 GB decoded" in capsys.readouterr().out
    stressed = ["evaluate", *BICUBIC, "data=pairs", "evaluation=low_contrast", f"data.valid={made}/set", f"run_dir={tmp_path}/a"]
    assert main(stressed) == 2
    assert "pairs are degraded already: choose evaluation.contrast=1" in capsys.readouterr().err
