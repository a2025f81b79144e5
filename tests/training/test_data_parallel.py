"""Several processes, each with its share of every batch, train as one process with the whole batch does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from ranks import difference, trained
from rich.console import Console
from systems import made, state
from torch import nn

from csrgan.callbacks.health import Health

SHARED = ("data.batch_size=4", "trainer.images=16", "data.final_crop=48", "data.final_fraction=0.5")
# Adam divides a gradient by its size, so where it is near 0 its rounding would become a step.
STEADY = tuple(f"+optimizer.{network}.eps=1e-4" for network in ("generator", "discriminator"))
PREDICTED = ("optimizer.accumulate=2", "trainer.gradient_stats_every=1")
SYSTEMS = {
    "csrgan": PREDICTED,
    "srgan": ("degradation=gaussian8_x2", "discriminator=patch", "loss.adversarial.start=8", "loss.perceptual.start=100"),
    "srmd": (),
    "ikc": ("system.first_stage=8", "system.corrections=2"),
    "dan": ("system.loops=2",),
}


def without_statistics(system: Any) -> None:
    """Take batch norm out: its statistics are those of a process's own share."""
    for module in list(system.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())


@pytest.mark.parametrize("name", SYSTEMS)
def test_two_processes_with_half_the_batch_each_give_the_weights_of_one(name: str, tmp_path: Path) -> None:
    """Also where gradients add up over batches, and where the discriminator comes later. All weights have moved."""
    held = []
    for processes in (1, 2):
        system, data = made(name, *SHARED, *STEADY, *SYSTEMS[name])
        without_statistics(system)
        before = state(system)
        held.append(trained(system, data, processes, tmp_path))
        assert difference(before, held[-1][0]["weights"]) > 3e-4
    (one,), (first, second) = held
    assert difference(one["weights"], first["weights"]) < 1e-6
    assert difference(first["weights"], second["weights"]) == 0
    assert one["images_seen"] == first["images_seen"] == second["images_seen"] == 16
    for values, others, expected in zip(first["recorded"], second["recorded"], one["recorded"], strict=True):
        assert values == others  # what is logged, and what the health of the training is judged by
        assert values.keys() == expected.keys()
        for key in values.keys() - {"signs/diversity", "signs/drift"}:  # of each share
            torch.testing.assert_close(values[key], expected[key], rtol=1e-3, atol=1e-5)


def test_batch_norm_keeps_the_processes_alike(tmp_path: Path) -> None:
    system, data = made("srgan", *SHARED, "degradation=gaussian8_x2", "loss.perceptual.start=100")
    first, second = trained(system, data, 2, tmp_path)
    assert difference(first["weights"], second["weights"]) == 0
    assert any("running_mean" in name and bool(value.any()) for name, value in first["weights"].items())


def test_a_picture_that_is_not_finite_in_one_process_changes_nothing_in_any(tmp_path: Path) -> None:
    """And the batch of all processes is kept for csrgan replay."""
    held = []
    for processes in (1, 2):
        system, data = made("csrgan", *SHARED, *STEADY)
        degrade, count = data.on_after_batch_transfer, iter(range(100))

        def spoilt(batch: Any, index: int, data: Any = data, degrade: Any = degrade, count: Any = count) -> Any:
            result = degrade(batch, index)
            if next(count) == 1 and data.trainer.global_rank == data.trainer.world_size - 1:
                result.low[-1, 1, 3, 4] = float("nan")
            return result

        data.on_after_batch_transfer = spoilt
        folder = tmp_path / str(processes)
        folder.mkdir()
        said = (folder / "said.txt").open("w")
        health = Health(folder, Console(file=said, width=1000), every=1, window=2, patience=1)
        held.append(trained(system, data, processes, folder, health))
        said.close()
    (one,), (first, second) = held
    assert difference(one["weights"], first["weights"]) < 1e-6
    assert difference(first["weights"], second["weights"]) == 0
    batches = [torch.load(tmp_path / str(n) / "replay" / "batch_000002.pt", weights_only=True) for n in (1, 2)]
    assert batches[0]["refused"] == batches[1]["refused"]
    assert batches[0]["refused"]["samples"] == [3]
    assert torch.equal(batches[0]["batch"]["sharp"], batches[1]["batch"]["sharp"])
    assert batches[0]["images_seen"] == batches[1]["images_seen"] == 4


def test_processes_share_an_evaluation_and_all_get_its_rows(tmp_path: Path) -> None:
    """Three pictures and two processes: the last round has a picture twice."""
    words = ("trainer.images=4", "data.batch_size=4", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=32")
    valid = "data.valid=[chelsea,coffee,astronaut]"
    rows = []
    for processes in (1, 2):
        system, data = made("csrgan", *words, valid)
        held = trained(system, data, processes, tmp_path, evaluate=True)
        rows += [each["rows"] for each in held]
    assert repr(rows[1]) == repr(rows[2])  # nan, where a score is undefined, equals nothing
    assert [row["image"] for row in rows[0]] == [row["image"] for row in rows[1]]
    assert len({row["image"] for row in rows[0]}) == 3
    for row, expected in zip(rows[1], rows[0], strict=True):
        assert row["psnr_restored"] == pytest.approx(expected["psnr_restored"], abs=1e-4)
