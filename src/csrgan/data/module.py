"""The LightningDataModule: sharp crops from the CPU, degraded on the device, with the drawn parameters as labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from csrgan.data import picture
from csrgan.data.crops import Crops, Decoded, ResumableLoader, Span, Undegraded
from csrgan.data.grid import FrozenGrid
from csrgan.data.sources import photographs
from csrgan.data.stress import Stress
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.noise import standard_normal
from csrgan.fault import check
from csrgan.records import Batch


class Photographs(LightningDataModule):
    """Photographs to train on and to evaluate on.

    train, valid: a folder, or names of photographs inside the scikit-image wheel.
    crop: side of a training crop in pixels. batch_size: crops a batch. workers: loader processes beside the main one.
    keep_mb: decoded photographs kept in memory, megabytes a process.
    images: the training budget. grid, repeats, evaluation_crop: see `FrozenGrid`; grid counts levels of blur, scale, noise.
    contrast, hot_pixels: of the evaluation, see `Stress`.
    """

    def __init__(
        self,
        *,
        train: str | Sequence[str] | None,
        valid: str | Sequence[str] | None,
        crop: int,
        batch_size: int,
        workers: int,
        keep_mb: float,
        degradation: Degradation,
        images: int,
        grid: dict[str, int],
        repeats: int,
        evaluation_crop: int | None,
        contrast: float,
        hot_pixels: int,
        seed: int,
    ) -> None:
        super().__init__()
        check(images >= batch_size, f"trainer.images={images} is less than one batch of data.batch_size={batch_size}.")
        self.train, self.valid, self.crop, self.batch_size, self.workers = train, valid, crop, batch_size, workers
        self.keep_bytes, self.images, self.grid, self.repeats = keep_mb * 2**20, images, grid, repeats
        self.evaluation_crop, self.stress, self.seed = evaluation_crop, Stress(contrast, hot_pixels), seed
        self.degradation = degradation

    def examine(self) -> None:
        """Raise Fault now, and not after hours, for photographs that cannot be trained on or evaluated on."""
        self.train_dataloader()
        self.val_dataloader()

    def train_dataloader(self) -> ResumableLoader:
        paths = photographs(self.train, "data.train")
        small = [
            f"{path} ({width}x{height})"
            for path in paths
            for height, width in [picture.size(path)]
            if min(height, width) < self.crop
        ]
        check(not small, f"data.crop={self.crop} is larger than {_some(small)}. Lower data.crop, or take them out.")
        step = self.degradation.multiple
        nearest = max(step, round(self.crop / step) * step)
        check(
            self.crop % step == 0,
            f"data.crop={self.crop} is no multiple of the scale {step}, which degradation.output=native needs; {nearest} is.",
        )
        crops = Crops(Decoded(paths, self.keep_bytes), self.degradation.prior, self.crop, self.seed)
        return ResumableLoader(
            crops,
            batch_size=self.batch_size,
            sampler=Span(self.images),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            collate_fn=crops.collate,
            drop_last=True,
        )

    def val_dataloader(self) -> DataLoader[Undegraded]:
        paths = photographs(self.valid, "data.valid")
        for path in paths:
            picture.size(path)
        cells = self.degradation.prior.grid(**self.grid)
        decoded = Decoded(paths, self.keep_bytes)
        frozen = FrozenGrid(decoded, cells, self.repeats, self.evaluation_crop, self.stress, self.degradation.multiple)
        return DataLoader(frozen, batch_size=1, collate_fn=frozen.collate)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        """Degrade on the device, in float32 whatever the training precision (this hook runs outside autocast)."""
        noise = batch.noise
        if isinstance(noise, int):
            rank = self.trainer.global_rank if self.trainer else 0
            generator = torch.Generator(batch.sharp.device).manual_seed(noise + rank)
            noise = standard_normal(tuple(batch.sharp.shape), batch.parameters, batch.sharp.device, generator)
        low = self.degradation.degrade(batch.sharp, batch.parameters, noise)
        low = batch.stress.on_low(low) if batch.stress else low
        return Batch(batch.sharp, low, batch.parameters, batch.names)


def _some(things: Sequence[str]) -> str:
    shown = ", ".join(things[:3])
    return shown if len(things) <= 3 else f"{shown} and {len(things) - 3} more"
