"""What the small systems learn in minutes, on IKC's and DAN's protocol at x2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from measured import tell

from csrgan.cli import main

BUDGET = (
    "trainer.images=3200",
    "trainer.validate_every=3200",
    "trainer.measure_macs=false",
    "trainer.panels=0",
    "evaluation.crop=200",
)
VALID = "data.valid=[chelsea,coffee,motorcycle_right,coins]"
CROPS = {"dan": 96}  # px: with smaller crops its estimator does not learn to use S in so few steps


def learned(name: str, folder: Path) -> dict[str, float]:
    words = ["experiment=compare", "hydra.mode=RUN", "data=sample", VALID, f"system={name}", f"run_dir={folder}"]
    assert main(["train", *words, *BUDGET, f"data.crop={CROPS.get(name, 64)}"]) == 0
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.long
@pytest.mark.parametrize("name", ["csrgan", "srgan", "srmd", "ikc", "dan", "dan_v2"])
def test_a_small_system_beats_its_input_and_iterations_reduce_the_error(name: str, tmp_path: Path) -> None:
    summary = learned(name, tmp_path / "run")
    errors = [round(value, 3) for key, value in summary.items() if key.startswith("theta_error_at_")]
    tell(f"{name}: gain {summary['gain_db']:+.2f} dB, error of theta^ by iteration {errors}")
    assert summary["gain_db"] > 0
    if name in ("ikc", "dan"):  # the small second version of DAN converges in one iteration
        assert len(errors) == {"ikc": 8, "dan": 4}[name]
        assert errors[-1] < errors[0]
    if name == "srmd":
        gains = {}
        for oracle in ("truth", "mismatch"):
            words = [f"checkpoint={tmp_path / 'run'}", f"oracle={oracle}", f"run_dir={tmp_path / oracle}", VALID]
            assert main(["evaluate", *words, "panels=0", "evaluation.crop=200"]) == 0
            gains[oracle] = json.loads((tmp_path / oracle / "summary.json").read_text())["gain_db"]
        tell(f"srmd by oracle mode: {gains}")
        assert gains["truth"] > gains["mismatch"]
