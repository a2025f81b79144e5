"""A part of csrgan bench: the time of a training step, and of the degradation in it."""

from __future__ import annotations

import time
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from lightning import Trainer

from csrgan.training.system import System


def measure(data: Any, system: System, device: str, *, precision: Any, count: int) -> dict[str, Any]:
    """Median times over `count` steps of a training. data: its LightningDataModule, which degrades as it hands over a batch."""
    degrade_batch, starts, seconds = data.on_after_batch_transfer, [], []

    def timed(batch: Any, dataloader_idx: int) -> Any:
        starts.append(time.perf_counter())
        result = degrade_batch(batch, dataloader_idx)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - starts[-1])
        return result

    data.on_after_batch_transfer = timed
    Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=precision,
        max_epochs=1,
        limit_train_batches=count + 3,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(system, data)
    steps = [after - before for before, after in pairwise(starts[2:])]  # the first two warm up
    step, degradation = median(steps), median(seconds[2:])
    return {"device": device, "step_seconds": step, "degradation_seconds": degradation, "share": degradation / step}
