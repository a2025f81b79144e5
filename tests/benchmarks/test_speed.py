"""A budget in minutes becomes a number of images by timing a few batches."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from composed import composed

from csrgan.benchmarks import speed
from csrgan.cli import main
from csrgan.training import fit_batches

WORDS = ("data.crop=32", "data.batch_size=4", "generator.width=8", "generator.levels=2")
SMALL = ["trainer=smoke", "logger=none", "trainer.panels=0", "evaluation.crop=48", "trainer.calibration_images=0"]


def test_the_time_of_an_image_is_the_median_of_those_of_batches_among_their_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock by which two batches in five take 100 s instead of 1 s: something else used the machine meanwhile."""
    ends = itertools.accumulate(itertools.cycle([0.0, 1.0, 100.0, 1.0, 1.0, 100.0]))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(ends))
    assert speed.seconds_per_image(composed("trainer.images=400", *WORDS)) == pytest.approx(1 / 4)
    assert speed.seconds_per_image(composed("system=wiener", *WORDS)) is None


def test_batches_are_timed_where_losses_and_crops_change(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("data.final_crop=48", "data.final_fraction=0.4", "loss.adversarial.start=200", "trainer.images=400")
    seen: list[tuple[int, int, bool]] = []

    def fit(system: object, batches: object, clock: object, **_: object) -> None:
        fit_batches.fit(system, batches, clock, Watch(), **_)

    class Watch(speed.Callback):
        def on_train_batch_end(self, trainer: object, system: object, outputs: object, batch: object, number: int) -> None:
            late = "generator/adversarial" in system.state.recorded
            seen.append((system.state.images_seen, batch.sharp.shape[-1], late))

    monkeypatch.setattr(speed, "fit_batches", type("", (), {"fit": staticmethod(fit)}))
    speed.seconds_per_image(composed(*words, *WORDS))
    at = seen[:: speed.BATCHES]
    assert [side for _, side, _ in at] == [32, 32, 32, 48, 48]
    assert [late for *_, late in at] == [False, False, True, True, True]


def test_a_training_of_minutes_takes_about_so_long_and_goes_on_with_its_images(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    began = time.monotonic()
    assert main(["train", *SMALL, *WORDS, "trainer.minutes=0.05", f"run_dir={folder}"]) == 0
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["images_seen"] % 4 == 0 and summary["images_seen"] > 4
    assert 0.5 < summary["seconds_training"] < min(15, time.monotonic() - began)  # 3 s; others may use this machine too
    assert main(["train", f"resume={folder}"]) == 0
    assert json.loads((folder / "summary.json").read_text())["images_seen"] == summary["images_seen"]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("trainer.multiply_adds=2", "trainer.minutes=3 and trainer.multiply_adds=2 are two budgets: choose one."),
        ("trainer.devices=2", "trainer.minutes=3 is timed in one process, and here are 2: choose trainer.images=N instead."),
        ("trainer.minutes=-1", "trainer.minutes=-1"),
    ],
)
def test_what_cannot_be_a_budget_is_told(word: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "trainer.minutes=3", word]) == 2
    assert sentence in capsys.readouterr().err
