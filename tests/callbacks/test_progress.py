"""The progress output of a training."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning import Trainer
from rich.console import Console
from systems import made

from csrgan.callbacks import progress
from csrgan.callbacks.scores import Scores
from csrgan.data.crops import CropSchedule
from csrgan.data.progress import progress as long_step


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


def test_an_evaluation_slows_neither_the_pace_nor_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 images in 10 s, with an evaluation of a minute after the first 50, 300 more take 30 s."""
    now, output = SimpleNamespace(seconds=100.0), io.StringIO()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    system, trainer = made("csrgan")[0], Trainer(logger=False, enable_checkpointing=False)
    watch = progress.Watch(Console(file=output, width=200), 400, CropSchedule(32, 32, 0), 10**9, Scores(tmp_path, 0))
    watch.on_train_start(trainer, system)
    now.seconds += 5
    watch.on_validation_start(trainer, system)
    now.seconds += 60
    watch.on_validation_end(trainer, system)
    now.seconds += 5
    system.state.images_seen = 100
    watch.on_train_batch_end(trainer, system)
    assert output.getvalue().startswith("100/400 images, 10 images/s, 30 s left")


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


@pytest.mark.parametrize("width", [200, 80, 60, 40])
def test_the_time_left_is_whole_on_a_narrow_terminal(width: int, tmp_path: Path) -> None:
    """As rendered: what else there is to say is cut off first, and no line is longer than the terminal."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    system, trainer = made("csrgan")[0], Trainer(logger=False, enable_checkpointing=False)
    watch = progress.Watch(console, 123456, CropSchedule(32, 32, 0), 1, Scores(tmp_path, 0))
    watch.on_train_start(trainer, system)
    names = ("generator/image", "generator/parameters", "generator/adversarial", "generator/of_my_own", "D(real)", "D(fake)")
    for _ in range(3):  # Rich needs two to tell the time left
        system.state.record({name: torch.tensor(0.0123456) for name in names})
        system.state.images_seen += 4
        system.state.batches_seen += 1
        watch.on_train_batch_end(trainer, system)
    watch.on_exception(trainer, system, KeyboardInterrupt())  # so that only the next line draws it
    watch.bar.progress.add_task("scoring", total=24, count="0 of 24", parts="")
    console.file = io.StringIO()
    console.print(watch.bar.progress.get_renderable())
    lines = console.file.getvalue().strip("\n").split("\n")
    assert re.search(r"^training .*12/123456 (\d+:)?\d\d:\d\d \S", lines[0]), lines
    assert re.search(r"^scoring .*0 of 24 +--:--", lines[1]), lines
    assert max(map(len, lines)) <= width
    assert ("D(fake) 0.0123" in lines[0]) == (width == 200)


@pytest.mark.parametrize("unit", ["", "bytes"])
def test_the_time_left_of_other_long_steps_is_whole_too(unit: str) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    with long_step(console, f"preparing the photographs of {'a_long_name_of_a_folder/' * 4}", 5000, unit=unit) as advance:
        for done in (1, 2, 3):
            advance(done)
    assert re.search(r"… .*/5[^…]* (\d+:)?\d\d:\d\d\s", console.file.getvalue())
