"""What must hold on the device of CSRGAN_DEVICE, cuda or cpu: `make gpu` runs this on a GPU, and make test on the CPU."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
import witness
from composed import composed
from stopped import WORDS, same, weights

import csrgan
from csrgan.cli import main
from csrgan.config.build import build
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.training.system import System

DEVICE = os.environ.get("CSRGAN_DEVICE", "cpu")
ON = ["trainer.accelerator=gpu"] if DEVICE == "cuda" else []
COMPILED = pytest.mark.skipif(DEVICE == "cpu", reason="compiles for a minute; make gpu runs it")

pytestmark = pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="torch finds no GPU")


@pytest.fixture
def reckless() -> Iterator[None]:
    """What a user may set for faster networks: products of TF32."""
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize(("std", "scale"), [(0.0, 1.0), (1.3, 2.0), (7.07, 1.5), (7.07, 3.0), (50.0, 1.0)])
def test_the_degradation_is_exact_in_float32(std: float, scale: float, reckless: None) -> None:
    """Beside SciPy's blur and Pillow's resampling in float64."""
    sharp = skimage.data.chelsea()[:240, :240].transpose(2, 0, 1) / 255
    theta = Parameters(*(torch.tensor([number], device=DEVICE) for number in (std, scale, 0.0)))
    low = degrade(torch.tensor(sharp, dtype=torch.float32, device=DEVICE)[None], theta)
    small = round(240 / scale)
    expected = witness.blur(sharp, std)
    if small < 240:
        expected = witness.resized(witness.resized(expected, small, small), 240, 240)
    np.testing.assert_allclose(low[0].cpu().numpy(), expected.clip(0, 1), atol=1e-4)


@pytest.mark.parametrize("protocol", ["readme", "file", "photo", "gaussian8_x2"])
def test_a_batch_is_degraded_as_on_the_cpu(protocol: str, reckless: None) -> None:
    """Where L is rounded, or compressed, a few values may fall on the other side of a half."""
    degradation = build(composed(f"degradation={protocol}")["degradation"], "degradation")
    theta = degradation.prior.sample(np.random.default_rng(0), 4).realised(96, 96)
    sharp = torch.tensor(skimage.data.astronaut()[:192, :192] / 255, dtype=torch.float32).permute(2, 0, 1)
    sharp = sharp.unfold(1, 96, 96).unfold(2, 96, 96).permute(1, 2, 0, 3, 4).reshape(4, 3, 96, 96)
    noise = torch.randn(4, 3 * degradation.draws, 96, 96, generator=torch.Generator().manual_seed(0))
    here = degradation.degrade(sharp, theta, noise)
    there = degradation.degrade(sharp.to(DEVICE), theta.to(sharp.to(DEVICE)), noise.to(DEVICE)).cpu()
    assert ((here - there).abs() < 1e-4).double().mean() > 0.998


def trained(folder: Path, *words: str) -> Path:
    assert main(["train", *WORDS, *ON, *words, f"run_dir={folder}"]) == 0
    return folder


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    one, other = (trained(tmp_path / name, "trainer.deterministic=true") for name in ("one", "other"))
    assert same(weights(one)["state_dict"], weights(other)["state_dict"])


def test_a_run_that_goes_on_ends_as_one_that_was_never_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, part = trained(tmp_path / "whole", "trainer.deterministic=true"), tmp_path / "part"
    count = System.end_step

    def stopped(system: System) -> None:
        count(system)
        if system.state.batches_seen == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(System, "end_step", stopped)
        assert main(["train", *WORDS, *ON, "trainer.deterministic=true", f"run_dir={part}"]) == 128 + signal.SIGTERM
    assert weights(part)["csrgan"]["images_seen"] < weights(whole)["csrgan"]["images_seen"]
    assert main(["train", f"resume={part}"]) == 0
    assert same(weights(whole)["state_dict"], weights(part)["state_dict"])


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.precision=bf16-mixed"],
        ["trainer.channels_last=false"],
        ["trainer.precision=bf16-mixed", "loss/consistency=redegrade", "degradation=file"],
        pytest.param(["trainer.compile=true"], marks=COMPILED),
        pytest.param(["trainer.compile=true", "trainer.precision=bf16-mixed", "trainer.deterministic=false"], marks=COMPILED),
    ],
    ids=" ".join,
)
def test_each_way_to_execute_trains_to_nearly_the_same_score(words: list[str], tmp_path: Path) -> None:
    same_task = [word for word in words if not word.startswith("trainer.")]
    plain, changed = trained(tmp_path / "plain", *same_task), trained(tmp_path / "changed", *words)
    scores = [json.loads((folder / "summary.json").read_text())["psnr_restored"] for folder in (plain, changed)]
    assert scores[0] == pytest.approx(scores[1], abs=0.3)
    assert all(bool(weight.isfinite().all()) for weight in weights(changed)["state_dict"].values())


def test_a_picture_is_restored_as_on_the_cpu() -> None:
    """By the network that comes along."""
    picture = skimage.data.coffee()[:200, :300]
    here, there = (csrgan.load(device=device)(picture) for device in ("cpu", DEVICE))
    assert np.abs(here.image.astype(float) - there.image.astype(float)).max() <= 2
    for name in ("blur_std", "scale", "noise_std"):
        assert float(getattr(here.parameters, name)) == pytest.approx(float(getattr(there.parameters, name)), rel=1e-2, abs=1e-3)
