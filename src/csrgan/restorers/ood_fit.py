"""Fit the out-of-distribution test of a trained network on the photographs of its training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from csrgan.data.crops import CropBatch
from csrgan.data.module import Photographs
from csrgan.degradation.foreign import foreign
from csrgan.networks.picture_statistics import TILE, PictureStatistics
from csrgan.records import Batch
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.ood import INSIDE, OODTest, harmless_share

MEASURED = 24  # pictures of each foreign degradation whose S is compared with L


def fit(restorer: LearnedRestorer, data: Photographs, count: int, device: torch.device) -> OODTest | None:
    """Return the test, fitted on `count` crops of data.train and calibrated on photographs of data.valid; None where the crops are
    too small to tell.

    The harm that S does to foreign pictures is measured on photographs of data.valid too.
    """
    if data.sides().first < TILE:
        return None
    statistics, generator = PictureStatistics().to(device), np.random.default_rng(0)
    classes: dict[str, list[Tensor]] = defaultdict(list)
    for batch in _training_batches(data, count, device):
        classes[INSIDE].append(statistics(restorer.preprocess(batch.low)).cpu())
        for name, low in _foreign(batch, data, generator):
            classes[name].append(statistics(restorer.preprocess(low)).cpu())
    test = OODTest.fit({name: torch.cat(parts) for name, parts in classes.items()})
    loaders = data.calibration(max(count // 4, 1))
    sizes = []
    for loader in loaders:
        batches = [_degraded(batch, data, device) for batch in loader]
        pixels = float(np.mean([batch.sharp.shape[-2] * batch.sharp.shape[-1] for batch in batches]))
        sizes.append((pixels, torch.cat([statistics(restorer.preprocess(batch.low)).cpu() for batch in batches])))
    return replace(test.calibrated(sizes), shares=tuple(_shares(restorer, data, generator, device).items()))


def _training_batches(data: Photographs, count: int, device: torch.device) -> Iterator[Batch]:
    """Yield the first batches of the training."""
    seen = 0
    for batch in data.train_dataloader():
        yield _degraded(batch, data, device)
        seen += len(batch.sharp)
        if seen >= count:
            return


def _degraded(batch: CropBatch, data: Photographs, device: torch.device) -> Batch:
    return data.on_after_batch_transfer(data.transfer_batch_to_device(batch, device, 0), 0)


def _foreign(batch: Batch, data: Photographs, generator: np.random.Generator) -> Iterator[tuple[str, Tensor]]:
    """Yield H with each foreign degradation. Its theta is drawn anew: that of a user's own pairs may be unknown."""
    theta = data.degradation.prior.sample(generator, len(batch.sharp)).realised(*batch.sharp.shape[-2:])
    return foreign(data.degradation, batch.sharp, theta.to(batch.sharp), generator)


def _shares(restorer: LearnedRestorer, data: Photographs, generator: np.random.Generator, device: torch.device) -> dict[str, float]:
    """Return the harmless share of S - L of each foreign degradation."""
    pictures: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = defaultdict(list)
    for batch in (_degraded(batch, data, device) for batch in data.calibration(MEASURED)[0]):
        for name, low in _foreign(batch, data, generator):
            shown = Batch(batch.sharp, low, batch.parameters, batch.names).enlarged
            pictures[name].append((shown, restorer.restore(low).image, batch.sharp))
    columns = {name: [torch.cat(parts) for parts in zip(*each, strict=True)] for name, each in pictures.items()}
    return {name: harmless_share(*parts) for name, parts in columns.items()}
