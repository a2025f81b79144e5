"""csrgan train, as a person types it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lightning
import numpy as np
import pytest
import skimage.data
import torch
from commands import SHORT, SMOKE, csrgan, train
from PIL import Image

from csrgan.callbacks.checkpoints import Checkpoints
from csrgan.callbacks.graceful_stop import GracefulStop
from csrgan.callbacks.scores import Scores
from csrgan.cli import main
from csrgan.config.folder import groups
from csrgan.console import Console
from csrgan.errors import RunStopped


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    began = time.monotonic()
    done = csrgan("--help")
    assert time.monotonic() - began < 1
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("train", "evaluate", "restore", "degrade", "list"))
    heavy = """
import sys
from csrgan.cli import main
try:
    main(["train", "--help=all"])
finally:
    print([name for name in ("torch", "lightning", "kornia") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith("[]")


def test_a_run_leaves_everything_in_its_folder(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert {"psnr_low", "psnr_restored", "ssim_low", "ssim_restored", "images_seen", "seconds"} <= set(summary)
    rows = list(csv.DictReader((run / "results.csv").open()))
    assert len(rows) == summary["rows"] == 8
    assert {"image", "blur_std", "scale", "noise_std", "blur_std_predicted", "psnr_low", "psnr_restored"} <= set(rows[0])
    assert np.mean([float(row["psnr_low"]) for row in rows]) == pytest.approx(summary["psnr_low"])
    assert (run / "config.yaml").is_file()
    assert (run / "metrics.csv").is_file()
    assert len(list((run / "panels").glob("*.png"))) == 2
    assert list(run.glob("wandb/offline-run-*/run-*.wandb"))
    assert not list(run.glob("*.log"))
    for name in ("last", "best"):
        torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def test_the_seconds_of_a_training_are_kept_where_its_end_is_no_evaluation_of_its_own(tmp_path: Path) -> None:
    summary = train(tmp_path / "run", "trainer.images=12", "trainer.validate_every=8", "trainer.save_every=8", "logger=csv")
    assert summary["images_seen"] == 12
    assert 0 < summary["seconds_training"] < summary["seconds"]


# Of protocols that differ in their scale alone, one: each of them is held to its witness in contracts/. What needs a file, or must
# be downloaded or installed, has a test of its own, which can do without.
SAME = (
    *("bicubic_x3", "gaussian8_x3", "gaussian8_x4", "srmd_x2", "srmd_x4", "div2krk_x2"),
    *("levin_x2", "levin_x4", "vgg19", "mlflow", "tensorboard", "trackio"),
)
CHOICES = {
    group: [file.stem for file in files if (group, file.stem) != ("parameter_head", "none") and file.stem not in SAME]
    for group, files in groups()
    if not group.startswith("factor/")
    and group not in ("data", "evaluation", "experiment", "loss/parameters", "optimizer", "sweep", "system", "trainer")
}


@pytest.mark.parametrize(
    "words",
    [
        # In the k-th run every group is at its k-th choice, so that each choice of each group is run.
        *([f"{group}={names[k % len(names)]}" for group, names in CHOICES.items()] for k in range(max(map(len, CHOICES.values())))),
        ["parameter_head=none", "loss/parameters=none"],
        ["loss/parameters=none"],
        ["+factor/jpeg_quality=web"],
        [
            *("loss/parameters=l1", "parameter_head.stop_gradient=true", "trainer.precision=bf16-mixed", "optimizer.accumulate=2"),
            "optimizer.schedule._target_=csrgan.training.schedule.constant",
        ],
        ["loss/parameters=nll", "condition=film", "condition.detach=true", "evaluation=hot_pixel"],
        ["loss/parameters=shuffled", "generator=unet", "generator.spectrum_bins=0", "data.workers=1"],
        ["experiment=csrgan_as_coded", "loss.parameters.weight=0"],
    ],
    ids=" ".join,
)
def test_every_choice_runs(tmp_path: Path, words: list[str]) -> None:
    fixed = ["trainer.images=8", "data.crop=32", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "degradation.output=upsampled"]
    fixed.append("size=small")  # srgan's discriminator has 24 M parameters at the size of the paper
    if not any(word.startswith("logger=") for word in words):
        fixed.append("logger=csv")  # each logger has its turn
    impossible = []
    bicubic = any(word.startswith("degradation=bicubic_x") for word in words)
    if bicubic:  # has nothing to predict
        impossible = ["loss/parameters=none", "loss/consistency=none", "condition=none"]
    elif "parameter_head=decoder_mean" in words:  # predicts when the picture is made
        impossible = ["condition=none"]
    if "generator=unfolded" in words or "generator=tv_unet" in words:  # needs an early prediction of all that its kernel is
        impossible = [word for word in impossible if word == "condition=none"] + ["degradation=readme", "parameter_head=separate"]
    size = "generator.width=8"
    if "generator=spectral" in words:  # draws nothing of its own
        words = [word for word in words if not word.startswith("upsampling=")]
        impossible, size = [*impossible, "output=residual"], "generator.hidden=8"
    summary = train(tmp_path / "run", *fixed, *words, *impossible, size=(size,))
    assert np.isfinite(summary["psnr_restored"])
    predicts = "parameter_head=none" not in words and (not bicubic or "degradation=readme" in impossible)
    assert any(f"{name}_mae" in summary for name in ("blur_std", "jpeg_quality")) == predicts


def test_data_folder_trains_on_ones_own_photographs(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        (tmp_path / name).mkdir()
        Image.fromarray(skimage.data.coffee()[:150, :200]).save(tmp_path / name / "coffee.png")
    short = ("trainer.images=8", "data.crop=32")
    train(tmp_path / "run", *short, "data=folder", f"data.train={tmp_path}/train", f"data.valid={tmp_path}/valid")
    assert {row["image"] for row in csv.DictReader((tmp_path / "run" / "results.csv").open())} == {"coffee.png"}


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for a CPU by g++, which is not here")
def test_compiled_networks_learn_and_restore_the_same(tmp_path: Path) -> None:
    """In processes of their own, because the shapes that the tests check cannot be checked in what is compiled."""
    found = []
    for word in ("false", "true"):
        done = csrgan("train", f"run_dir={tmp_path / word}", *SMOKE, "logger=csv", f"trainer.compile={word}")
        assert done.returncode == 0, done.stderr
        found.append(json.loads((tmp_path / word / "summary.json").read_text()))
    plain, compiled = found
    assert compiled["psnr_restored"] == pytest.approx(plain["psnr_restored"], abs=1e-3)
    assert compiled["scale_mae"] == pytest.approx(plain["scale_mae"], rel=1e-3)


def test_a_training_begins_with_the_network_of_a_finished_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def weights(run: Path, kind: str = "ema") -> dict[str, torch.Tensor]:
        content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        return {name: value for name, value in content.items() if name.startswith(f"{kind}.")}

    first, second = tmp_path / "first", tmp_path / "second"
    quality = train(first, "loss/adversarial=none")
    still = ("optimizer.generator.lr=0", "trainer.images=4", "trainer.validate_every=4", "seed=5")
    assert train(second, f"init_from={first}", *still)["psnr_restored"] == pytest.approx(quality["psnr_restored"], abs=1e-3)
    for kind in ("ema", "generator"):
        for mine, theirs in zip(weights(second, kind).values(), weights(first).values(), strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)
    assert main(["train", f"run_dir={tmp_path}/third", *SMOKE, f"init_from={first}", "generator.width=4"]) == 2
    told = capfd.readouterr().err
    assert (
        f"init_from={first} holds a different network from this run's: system.generator.body.width is 8 there and 4 here." in told
    )
    assert main(["train", f"run_dir={tmp_path}/fourth", *SMOKE, f"init_from={tmp_path}/none"]) == 2
    assert f"init_from={tmp_path}/none is neither a file nor a folder with checkpoints" in capfd.readouterr().err


def test_a_network_of_another_kind_is_refused_with_what_differs(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for index, word in enumerate(("condition=film", "parameter_head=separate", "system=srmd size=small")):
        assert main(["train", f"run_dir={tmp_path}/{index}", *SHORT, f"init_from={run}", *word.split()]) == 2
        told = capfd.readouterr().err
        assert f"init_from={run} holds a different network from this run's: system." in told
        assert "Traceback" not in told


def test_a_training_shorter_than_its_warm_up_says_so_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One of a few batches, as trainer.smoke, only tries the command out."""
    sentence = "the learning rate rises over 800 images, and is never full in a training of {}: lower optimizer.schedule.warmup"
    train(tmp_path / "run", "trainer.images=36", "optimizer.schedule.warmup=800")
    assert capfd.readouterr().out.count(sentence.format(36)) == 1
    train(tmp_path / "smoke", "trainer=smoke", "optimizer.schedule.warmup=800")
    assert "never full" not in capfd.readouterr().out


def test_a_folder_below_the_current_one_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a run that is stopped at its first save, and of a second run in its folder."""
    monkeypatch.chdir(tmp_path)
    stopped = Checkpoints(
        Path.cwd() / "run" / "checkpoints", 8, 16, Scores(tmp_path, 0), Console(), stop := GracefulStop(tmp_path / "run")
    )
    stop.number = 2
    with pytest.raises(RunStopped, match=r"To continue: csrgan train resume=run$"):
        stopped.on_validation_batch_end(lightning.Trainer(logger=False), lightning.LightningModule())
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / "last.ckpt").touch()
    assert main(["train", "run_dir=run", *SMOKE]) == 2
    assert "run_dir=run already holds a run: resume=run continues it" in capfd.readouterr().err
