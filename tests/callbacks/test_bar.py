"""An evaluation says how far it is, in a training and alone."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from lightning import Callback, Trainer
from rich.console import Console
from systems import made

from csrgan.callbacks import bar, progress
from csrgan.callbacks.calibration import Calibration
from csrgan.callbacks.scores import Scores


class Slow(Callback):
    """A simulated clock, on which each batch and each picture takes six seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        for module in (bar, progress):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.seconds))

    def on_train_batch_start(self, *_: object) -> None:
        self.seconds += 6

    def on_validation_batch_start(self, *_: object) -> None:
        self.seconds += 6


def said(tmp_path: Path, clock: Slow, *, trains: bool, terminal: bool = False) -> str:
    """What a training with one evaluation of 24 pictures, or that evaluation alone, prints."""
    system, data = made("csrgan", "trainer.images=4", "evaluation.grid={blur:4,scale:3,noise:1}", "loss/parameters=nll")
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    scores = Scores(tmp_path, 0)
    watch = progress.Watch(console, 4, data.sides(), 1, scores)
    callbacks = [clock, scores, watch, bar.Scoring(watch.bar)]
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(accelerator="cpu", max_epochs=1, callbacks=callbacks, num_sanity_val_steps=0, **quiet)
    if trains:
        trainer.fit(system, data)
    else:
        trainer.validate(system, data, verbose=False)
    return console.file.getvalue()


@pytest.mark.parametrize("trains", [True, False])
def test_without_a_terminal_a_line_now_and_then_says_how_many_are_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trains: bool
) -> None:
    told = re.findall(r"scoring (\d+) of 24, (\d+) s left", said(tmp_path, Slow(monkeypatch), trains=trains))
    assert [int(done) for done, _ in told] == list(range(2, 25, 2))  # at least ten seconds apart
    assert [int(left) for _, left in told] == [6 * (24 - int(done)) for done, _ in told]


@pytest.mark.parametrize("trains", [True, False])
def test_on_a_terminal_the_evaluation_has_a_line_in_the_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trains: bool) -> None:
    drawn: list[str] = []
    clock, update = Slow(monkeypatch), bar.Progress.update

    def updated(shown: bar.Progress, *task: int, **fields: object) -> None:
        update(shown, *task, **fields)
        lines = [f"{one.description} {one.fields['count']}" for one in shown.tasks]
        drawn.append(", ".join(lines) if shown.live.is_started else "hidden")

    monkeypatch.setattr(bar.Progress, "update", updated)
    text = said(tmp_path, clock, trains=trains, terminal=True)
    of_training = "training 4/4, " if trains else ""
    assert f"{of_training}scoring 7 of 24" in drawn
    assert "hidden" not in drawn
    assert "scoring 1 of" not in re.sub(r"\x1b\[[^m]*[A-LK]|\r", "", text).split("\n")[-1]


def test_a_calibration_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    system, data = made("csrgan", "loss/parameters=nll")
    clock = Slow(monkeypatch)
    console = Console(file=io.StringIO())
    preprocess = system.restorer.preprocess

    def slow(low: object) -> object:
        clock.seconds += 6
        return preprocess(low)

    system.restorer.preprocess = slow
    trainer = Trainer(logger=False, enable_checkpointing=False)
    trainer.datamodule = data  # as Lightning sets it
    Calibration(5, bar.Bar(console)).on_validation_start(trainer, system)
    count = sum(map(len, data.calibration(5)))
    assert f"calibrating 2 of {count}, {6 * (count - 2)} s left" in console.file.getvalue()
