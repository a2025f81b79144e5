"""The time of a training: the seconds that an image takes, measured on a few batches."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import cast

import torch
from lightning import Callback, LightningModule, Trainer, seed_everything

from csrgan.config.build import build
from csrgan.data.crops import CropBatch
from csrgan.data.module import Photographs
from csrgan.training import fit_batches
from csrgan.training.evaluated import as_module
from csrgan.training.execution import configure_execution
from csrgan.training.system import System
from csrgan.tree import Settings

MOMENTS = 5  # points of a training at which batches are timed: losses may start late, and the last crops may be larger
BATCHES, WARM = 7, 2  # at each point, and how many of them are not timed; the median of the others counts


def seconds_per_image(settings: Settings) -> float | None:
    """Return the seconds that an image of a training with these settings takes, as the mean over the training; None for systems
    that are not trained.

    Includes the reading of crops where no `data.workers` do it beside the training. Evaluations are not included.
    """
    settings = copy.deepcopy(settings)
    seed_everything(settings["seed"], verbose=False)
    data, system = cast(Photographs, build(settings["data"], "data")), as_module(build(settings["system"], "system"))
    if not isinstance(system, System):
        return None
    trainer = settings["trainer"]
    configure_execution(system, trainer)
    crops, clock = _Crops(data, settings["data"]["batch_size"], trainer["images"]), _Clock(trainer["images"])
    batches: Sequence[CropBatch] = [crops[index] for index in range(len(crops))] if settings["data"]["workers"] else crops
    device = {"accelerator": trainer["accelerator"], "precision": trainer["precision"]}
    fit_batches.fit(system, batches, clock, transfer=data.on_after_batch_transfer, **device)
    return fmean(clock.seconds) / settings["data"]["batch_size"]


def _moment(k: int, images: int) -> int:
    """Return the images seen at the k-th point of a training."""
    return int((k + 0.5) / MOMENTS * images)


class _Crops(Sequence[CropBatch]):
    """The batches to time, each read when it is asked for."""

    def __init__(self, data: Photographs, size: int, images: int) -> None:
        self.loader, self.size, self.images = data.train_dataloader(), size, images

    def __len__(self) -> int:
        return MOMENTS * BATCHES

    def __getitem__(self, index: int) -> CropBatch:  # type: ignore[override]  # no slices
        first = min(_moment(index // BATCHES, self.images) // self.size * self.size, self.images - self.size)
        return self.loader.collate_fn([self.loader.dataset[first + k] for k in range(self.size)])


class _Clock(Callback):
    """Takes the times of the last batches at each point, with what lies between them."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.ends: list[float] = []  # of the batches at this point, from the last one on that is not timed
        self.seconds: list[float] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int) -> None:
        cast(System, pl_module).state.images_seen = _moment(batch_idx // BATCHES, self.images)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        done = batch_idx % BATCHES + 1
        if done >= WARM:
            self.ends.append(time.perf_counter())
        if done == BATCHES:
            self.seconds.append(median(after - before for before, after in pairwise(self.ends)))
            self.ends = []
