"""Runs that are stopped and go on, for tests: their words, and what it means that two ended alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import torch
from commands import SHORT, SMOKE

WORDS = (
    *SMOKE[:1],
    "logger=csv",
    "evaluation.grid.scale=1",
    *SMOKE[len(SHORT) :],
    "data.crop=32",
    "data.final_crop=48",
    "data.final_fraction=0.5",
    "evaluation.crop=32",
    "logger.every=1",
    "trainer.images=48",
    "trainer.save_every=12",
    "trainer.validate_every=12",
    "trainer.panels=0",
)

TIMES = ("images_per_second", "seconds_training")  # columns of metrics.csv that depend on the clock


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def same(one: object, other: object) -> bool:
    """Of trees of tensors and numbers."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def logged(run: Path) -> list[dict[str, str]]:
    """metrics.csv without what depends on the clock."""
    with (run / "metrics.csv").open(newline="") as file:
        return [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]


def assert_same_runs(one: Path, other: Path) -> None:
    for name in ("last", "best"):
        a, b = weights(one, name), weights(other, name)
        assert all(same(a[part], b[part]) for part in ("state_dict", "optimizer_states")), name
        assert a["csrgan"]["images_seen"] == b["csrgan"]["images_seen"]
    assert (one / "results.csv").read_bytes() == (other / "results.csv").read_bytes()
    for row, expected in zip(logged(one), logged(other), strict=True):
        assert row == expected
    summaries = [json.loads((run / "summary.json").read_text()) for run in (one, other)]
    timeless = [{name: value for name, value in summary.items() if not name.startswith("seconds")} for summary in summaries]
    assert timeless[0] == timeless[1]


def kill_at(batch: int) -> str:
    """SIGKILL after so many batches."""
    return f"""
import signal
from csrgan.training.system import System
def end_step(system, count=System.end_step):
    count(system)
    if system.state.batches_seen == {batch}:
        os.kill(os.getpid(), signal.SIGKILL)
System.end_step = end_step
"""
