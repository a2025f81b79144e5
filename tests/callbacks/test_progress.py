"""The progress output of a training."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from lightning import Trainer
from rich.console import Console
from systems import made

from csrgan.callbacks import progress
from csrgan.callbacks.scores import Scores
from csrgan.data.crops import CropSchedule


@pytest.mark.parametrize("sides", [CropSchedule(32, 32, 0), CropSchedule(32, 64, 600), CropSchedule(64, 32, 100)])
def test_the_time_left_is_right_from_the_beginning(sides: CropSchedule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a simulated clock, on which a batch takes time in proportion to its pixels."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    console = Console(file=io.StringIO())
    system, trainer = made("csrgan")[0], Trainer(logger=False, enable_checkpointing=False)
    system.state.images_seen = 200  # it goes on with a run that was stopped
    watch = progress.Watch(console, 1000, sides, 10**9, Scores(tmp_path, 0))
    watch.on_train_start(trainer, system)
    ends: list[float] = []
    while system.images_seen < 1000:
        now.seconds += 4 * sides[system.images_seen] ** 2 / 1000
        system.state.images_seen += 4
        system.state.batches_seen += 1
        watch.on_train_batch_end(trainer, system)
        told = re.findall(r"(\d+)/1000 images, .*? images/s, (-?\d+) s left", console.file.getvalue())
        if len(told) > len(ends):
            assert int(told[-1][0]) == system.images_seen
            ends.append(now.seconds + int(told[-1][1]))
    assert len(ends) > 20
    assert ends == pytest.approx([now.seconds] * len(ends), abs=0.51)


def test_the_seconds_of_a_training_are_those_of_all_its_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 10 s before a stop, of which an evaluation took 3, and 5 s after it; a third start had only pictures left to score."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    system, trainer = made("csrgan")[0], Trainer(logger=False, enable_checkpointing=False)

    def watch() -> progress.Watch:
        return progress.Watch(Console(file=io.StringIO()), 1000, CropSchedule(32, 32, 0), 10**9, Scores(tmp_path, 0))

    first, second, third = watch(), watch(), watch()
    first.on_train_start(trainer, system)
    now.seconds += 7
    first.on_validation_start(trainer, system)
    now.seconds += 3
    first.on_validation_end(trainer, system)
    second.load_state_dict(first.state_dict())
    second.on_train_start(trainer, system)
    now.seconds += 5
    second.on_train_end(trainer, system)
    third.load_state_dict(second.state_dict())
    assert [each.waiting(trainer)["seconds_training"] for each in (second, third)] == [12.0, 12.0]
    assert watch().waiting(trainer) == {}
