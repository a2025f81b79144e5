"""The cost of a system in multiply-adds, as torch counts them: of an image in training, and of restoring a picture."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import cast

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from torch.utils.flop_counter import FlopCounterMode

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.records import Batch
from csrgan.training import fit_batches
from csrgan.training.evaluated import as_module
from csrgan.training.system import System
from csrgan.tree import Settings

MOMENTS = 10  # points of a training at which a batch is counted, because some systems train in stages
SIDE = 256  # px, of the picture whose restoration is counted


def measure(settings: Settings) -> dict[str, float]:
    """Return `multiply_adds_training`, of an image, mean over the training, and `multiply_adds_restore`, of a pixel of S.

    Counts convolutions and matrix products, forwards and backwards. Empty for systems that learn from each picture, where only the
    whole work would give the number.
    """
    settings = copy.deepcopy(settings)
    system, degradation = as_module(build(settings["system"], "system")), build(settings["degradation"], "degradation")
    if system.restorer.per_picture:
        return {}
    costs: dict[str, float] = {}
    if isinstance(system, System):
        size, sides = settings["data"]["batch_size"], build(settings["data"], "data").sides()
        count = _Count(settings["trainer"]["images"])
        batches = [_batch(degradation, size, sides[count.moment(k)]) for k in range(MOMENTS)]
        fit_batches.fit(system, [batch for batch in batches for _ in range(2)], count)
        costs["multiply_adds_training"] = count.total / MOMENTS / size
    picture = _batch(degradation, 1, SIDE)
    with FlopCounterMode(display=False) as counter:
        system.validation_step(picture)
    costs["multiply_adds_restore"] = counter.get_total_flops() / 2 / SIDE**2
    return costs


def _batch(degradation: Degradation, count: int, side: int) -> Batch:
    """Return noise, degraded by the protocol: the count does not depend on the content of the pictures."""
    theta = degradation.prior.sample(np.random.default_rng(0), count).realised(side, side)
    sharp = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))
    return Batch(sharp, degradation.degrade(sharp, theta, torch.zeros_like(sharp)), theta, ("",) * count)


class _Count(Callback):
    """Counts batches at equal distances in a training of so many images. Of two at each point the second counts, because losses are
    checked when they are first used."""

    def __init__(self, images: int) -> None:
        self.images, self.total = images, 0.0

    def moment(self, k: int) -> int:
        """Return the images seen at the k-th point."""
        return round((k + 0.5) / MOMENTS * self.images)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int) -> None:
        cast(System, pl_module).state.images_seen = self.moment(batch_idx // 2)
        self.context = ExitStack()
        self.counter = self.context.enter_context(FlopCounterMode(display=False))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        self.context.close()
        self.total += self.counter.get_total_flops() / 2 if batch_idx % 2 else 0
