"""Part of csrgan bench: the time of a training step, and of the degradation in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Protocol, cast

import torch
from lightning import Trainer

from csrgan.data.crops import CropBatch
from csrgan.data.module import Photographs
from csrgan.records import Batch
from csrgan.training.system import System
from csrgan.tree import Settings


class Degrading(Protocol):
    """A data module, whose degradation can be replaced by one that is timed."""

    on_after_batch_transfer: Callable[[CropBatch, int], Batch]


def measure(data: Photographs, system: System, device: str, *, trainer: Settings, count: int) -> Settings:
    """Return median times over `count` steps of a training. data: it degrades each batch after its transfer
    to the device. trainer: says the precision.
    """
    degrade_batch = data.on_after_batch_transfer
    starts: list[float] = []
    seconds: list[float] = []

    def timed(batch: CropBatch, dataloader_idx: int) -> Batch:
        starts.append(time.perf_counter())
        result = degrade_batch(batch, dataloader_idx)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - starts[-1])
        return result

    cast(Degrading, data).on_after_batch_transfer = timed
    Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=trainer["precision"],
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
