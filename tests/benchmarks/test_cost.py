"""What a system costs is counted as one would count it by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import composed

from csrgan.benchmarks import cost
from csrgan.cli import main

WORDS = ("size=small", "degradation=gaussian8_x2", "data.crop=32", "data.batch_size=2", "trainer.images=20")


def test_the_multiply_adds_of_srmd() -> None:
    """Six convolutions 3x3 on L, a quarter of S's pixels; and the predictor, 5x5, half its layers on a quarter of L's."""
    width, code, small = 48, 1, 16
    restorer = 9 * ((3 + code) * width + 4 * width * width + width * 12) / 4
    predictor = 25 * ((3 * small + 2 * small * small) / 4 + 3 * small * small / 16) + 2 * small * code / 256**2
    found = cost.measure(composed("system=srmd", *WORDS))
    assert found["multiply_adds_restore"] == pytest.approx(restorer + predictor, rel=0.01)
    forwards = (restorer + predictor) * 32**2
    assert 2.5 * forwards < found["multiply_adds_training"] < 3 * forwards  # gradients of features and of weights; not of L


def each(system: str, *words: str) -> float:
    return cost.measure(composed(f"system={system}", *WORDS, *words))["multiply_adds_training"]


def test_late_crops_count_by_their_size() -> None:
    early, late = each("srmd", "data.crop=32"), each("srmd", "data.crop=64")
    mixed = each("srmd", "data.crop=32", "data.final_crop=64", "data.final_fraction=0.3")
    assert mixed == pytest.approx(0.7 * early + 0.3 * late, rel=1e-6)


@pytest.mark.long
def test_the_second_stage_of_ikc_costs_more_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MOMENTS", 2)  # of ten, which take five times as long
    stages = [each("ikc", "system.corrections=4", f"system.first_stage={images}") for images in (20, 10, 0)]
    assert stages[0] < stages[1] < stages[2]
    assert stages[1] == pytest.approx((stages[0] + stages[2]) / 2, rel=1e-6)


def test_of_a_budget_of_multiply_adds_follows_the_number_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MOMENTS", 2)
    assert cost.measure(composed("system=kernelgan", *WORDS)) == {}
    budget = f"trainer.multiply_adds={6.5 * each('srmd') / 1e12}"
    small = ["trainer=smoke", "logger=none", "trainer.panels=0", "evaluation.crop=48"]
    assert main(["train", *small, "system=srmd", *WORDS, budget, f"run_dir={tmp_path}/a"]) == 0
    assert '"images_seen": 6' in (tmp_path / "a" / "summary.json").read_text()
