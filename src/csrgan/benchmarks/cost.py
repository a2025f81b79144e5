"""What a system costs, in multiply-adds as torch counts them: of an image in training, and of a picture restored."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from lightning import Callback, Trainer
from torch.utils.flop_counter import FlopCounterMode

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.records import Batch
from csrgan.training import fit_batches
from csrgan.training.evaluated import as_module
from csrgan.training.system import System

MOMENTS = 10  # of a training at which a batch is counted, for some systems have stages
SIDE = 256  # of the restored picture that is counted, px


def measure(settings: dict[str, Any]) -> dict[str, float]:
    """`multiply_adds_training`: an image, mean over the training; `multiply_adds_restore`: a pixel of S.

    Convolutions and matrix products are counted, forwards and backwards. Empty for systems that learn from each picture, where
    nothing short of the whole would tell.
    """
    settings = copy.deepcopy(settings)
    system, degradation = as_module(build(settings["system"], "system")), build(settings["degradation"], "degradation")
    if system.restorer.per_picture:
        return {}
    found: dict[str, float] = {}
    if isinstance(system, System):
        size, sides = settings["data"]["batch_size"], build(settings["data"], "data").sides()
        count = _Count(settings["trainer"]["images"])
        batches = [_batch(degradation, size, sides[count.moment(k)]) for k in range(MOMENTS)]
        fit_batches.fit(system, [batch for batch in batches for _ in range(2)], count)
        found["multiply_adds_training"] = count.total / MOMENTS / size
    one = _batch(degradation, 1, SIDE)
    with FlopCounterMode(display=False) as counter:
        system.validation_step(one)
    found["multiply_adds_restore"] = counter.get_total_flops() / 2 / SIDE**2
    return found


def _batch(degradation: Degradation, count: int, side: int) -> Batch:
    """Noise, degraded as the protocol does: what is counted does not depend on what is shown."""
    theta = degradation.prior.sample(np.random.default_rng(0), count).realised(side, side)
    sharp = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))
    return Batch(sharp, degradation.degrade(sharp, theta, torch.zeros_like(sharp)), theta, ("",) * count)


class _Count(Callback):
    """Counts batches at equal distances through a training of so many images. At each there are two, of which the second counts:
    losses are examined when they are first used."""

    def __init__(self, images: int) -> None:
        self.images, self.total = images, 0.0

    def moment(self, k: int) -> int:
        """Images seen at the k-th."""
        return round((k + 0.5) / MOMENTS * self.images)

    def on_train_batch_start(self, trainer: Trainer, pl_module: System, batch: Any, batch_idx: int) -> None:  # type: ignore[override]
        pl_module.state.images_seen = self.moment(batch_idx // 2)
        counter: Any = FlopCounterMode(display=False)
        self.counter = counter.__enter__()

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: System, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.counter.__exit__(None, None, None)
        self.total += self.counter.get_total_flops() / 2 if batch_idx % 2 else 0
