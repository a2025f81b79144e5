"""The LightningDataModule: sharp crops from the CPU, degraded on the device, with the drawn parameters as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import torch
from lightning import LightningDataModule
from rich.console import Console
from torch.utils.data import DataLoader

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.data import leak
from csrgan.data.cache import Cache
from csrgan.data.crops import CropBatch, Crops, CropSchedule, Sample
from csrgan.data.grid import CalibrationSet, FrozenGrid
from csrgan.data.loader import ResumableBatchSampler, ResumableLoader
from csrgan.data.pictures import Pictures
from csrgan.data.sample_order import SampleOrder
from csrgan.data.shards import INDEX, Shards
from csrgan.data.sources import Files, Source
from csrgan.data.stress import Stress
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.noise import standard_normal
from csrgan.errors import UserError, raise_faults, require
from csrgan.ranges import Count, CountOr0, NotNegative, Seed, Share, Within
from csrgan.records import Batch

GRID = MappingProxyType({"blur": 3, "scale": 2, "noise": 2})
LEAST_SIDE = 32  # px, of a photograph to evaluate on: SSIM and the perceptual distance have no value for smaller ones


class Photographs(Recorded, LightningDataModule):
    """Photographs to train on and to evaluate on.

    train, valid: a folder, shards, a list of folders and of photographs inside the scikit-image wheel, or a `Source`.
    archive: files of a downloaded data set that are on disk already. strict: stop where a file cannot be used.
    cache, cache_mb: see `Cache`. memory_mb: photographs in memory or mapped, megabytes a process.
    crop: side of a training crop in pixels. final_crop: of the crops of the last share `final_fraction` of the training; None: the
    same.
    min_detail: see `Crops`. window, crops_per_image: see `SampleOrder`.
    batch_size: crops a batch. workers: loader processes beside the main one.
    images: the training budget, or that of each pass where Lightning makes several (`max_epochs`).
    degradation: None: the protocol `readme`. grid, repeats, evaluation_crop: see `FrozenGrid`; grid counts levels of blur, scale
    and noise. contrast, hot_pixels: of the evaluation, see `Stress`.
    """

    kept_on_resume = ("batch_size", "crop", "degradation", "seed")  # on which the order of the samples and their meaning depend

    def __init__(
        self,
        *,
        train: str | Sequence[str] | Source | None = None,
        valid: str | Sequence[str] | Source | None = None,
        archive: str | Sequence[str] | None = None,
        strict: bool = False,
        cache: str | None = None,
        cache_mb: NotNegative = 20000,
        memory_mb: NotNegative = 2000,
        crop: Count = 128,
        final_crop: Count | None = None,
        final_fraction: Within = 0.2,
        min_detail: Share = 0.0,
        crops_per_image: Count = 1,
        window: Count = 32,
        batch_size: Count = 16,
        workers: CountOr0 = 0,
        degradation: Degradation | None = None,
        images: Count = 4800,
        grid: Mapping[str, Count] = GRID,
        repeats: Count = 1,
        evaluation_crop: Annotated[int, "[32,inf)"] | None = 512,
        contrast: Annotated[float, "(0,1]"] = 1.0,
        hot_pixels: CountOr0 = 0,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        raise_faults(rules.budget(images, batch_size))
        self.sources = {"data.train": train, "data.valid": valid}
        self.archives = [Path(file) for file in ([archive] if isinstance(archive, str) else archive or [])]
        wanted = [name for source in self.sources.values() if isinstance(source, Source) for name in source.wants]
        for file in self.archives:
            if file.name not in wanted:
                raise UserError.unknown("data.archive", file.name, wanted)
        self.strict, self.cache, self.keep_bytes = strict, Cache(cache, cache_mb), memory_mb * 2**20
        self.crops = {"data.crop": crop} | ({"data.final_crop": final_crop} if final_crop is not None else {})
        self.final_fraction, self.min_detail, self.crops_per_image, self.window = (
            final_fraction,
            min_detail,
            crops_per_image,
            window,
        )
        self.batch_size, self.workers, self.images, self.grid, self.repeats = batch_size, workers, images, grid, repeats
        self.evaluation_crop, self.stress, self.seed = evaluation_crop, Stress(contrast, hot_pixels), seed
        self.degradation = degradation or Degradation()
        self.console = Console(quiet=True)
        self.refused: dict[str, str] = {}
        self._found: dict[str, Pictures] = {}

    def examine(self, console: Console, *, train: bool) -> Mapping[str, str]:
        """Fetch and decode what is needed to evaluate and, if asked, to train: now, and not in the middle of it.

        Returns the files that cannot be used, each with the reason. Raises UserError where none is left, or where one cannot be
        used and data.strict is true.
        """
        self.console = console
        if train:
            self.train_dataloader()
        self.val_dataloader()
        if train and (line := leak.warning(self.pictures("data.train"), self.pictures("data.valid"))):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        return self.refused

    def pictures(self, key: str) -> Pictures:
        """The photographs of data.train or data.valid, found and decoded when they are first asked for."""
        if key not in self._found:
            named = self.sources[key]
            source = named if isinstance(named, Source) else _source(named, key)
            self._found[key] = source.pictures(self.cache, self.archives, self.console)
            self._refuse(key, source.refused)
            require(len(self._found[key].names) > 0, f"{key}: no photograph can be used: {_some(source.refused)}.")
        return self._found[key]

    def _refuse(self, key: str, refused: Mapping[str, str]) -> None:
        self.refused |= {f"{key}: {name}": reason for name, reason in refused.items()}
        if refused and self.strict:
            raise UserError(f"{key}: {len(refused)} cannot be used, and data.strict=true: {_some(refused)}.")

    def _large_enough(self, key: str, side: int, named: str) -> list[Sequence[int]]:
        """The groups of photographs without those that have a side of fewer pixels. named: how a user knows the number."""
        pictures = self.pictures(key)
        sizes = zip(pictures.names, pictures.sizes, strict=True)
        reason = f"smaller than {named.rstrip(',')}"
        small = {name: f"{width}x{height} is {reason}" for name, (height, width) in sizes if min(height, width) < side}
        require(len(small) < len(pictures.names), f"{named} is larger than every photograph of {key}: {_some(small)}.")
        self._refuse(key, small)
        groups = ([index for index in group if min(pictures.sizes[index]) >= side] for group in pictures.groups)
        return [group for group in groups if group]

    def train_dataloader(self) -> ResumableLoader[Sample, CropBatch]:
        pictures = self.pictures("data.train")
        scale = rules.scale_multiple(self.degradation.multiple)
        raise_faults(*(rules.multiples(key, side, scale) for key, side in self.crops.items()))
        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        order = SampleOrder(self._trained_on(), window=self.window, crops_per_image=self.crops_per_image, seed=self.seed)
        prior, detail = self.degradation.prior, self.min_detail
        crops = Crops(pictures, self.keep_bytes, order, prior, sides=self.sides(world), min_detail=detail, seed=self.seed)
        return ResumableLoader(
            crops,
            ResumableBatchSampler(self.images, self.batch_size, rank, world),
            num_workers=self.workers,
            collate_fn=crops.collate,
        )

    def sides(self, world: int = 1) -> CropSchedule:
        """Of the crops, of which those of a batch are alike, in all of so many processes together; the last batch is late."""
        first, batch = self.crops["data.crop"], self.batch_size * world
        batches = self.images // batch
        start = min(round(batches * (1 - self.final_fraction)), batches - 1) * batch
        return CropSchedule(first, self.crops.get("data.final_crop", first), start)

    def _trained_on(self) -> list[Sequence[int]]:
        key, side = max(self.crops.items(), key=lambda crop: crop[1])
        return self._large_enough("data.train", side, f"{key}={side}")

    def predict_dataloader(self) -> DataLoader[CropBatch]:
        return self.val_dataloader()

    def val_dataloader(self) -> DataLoader[CropBatch]:
        cells = self.degradation.prior.grid(**self.grid)
        multiple = self.degradation.multiple
        pictures, which = self.pictures("data.valid"), self._evaluated_on()
        frozen = FrozenGrid(pictures, which, self.keep_bytes, cells, self.repeats, self.evaluation_crop, self.stress, multiple)
        return DataLoader(frozen, batch_size=1, collate_fn=frozen.collate)

    def _evaluated_on(self) -> list[int]:
        groups = self._large_enough("data.valid", LEAST_SIDE, f"{LEAST_SIDE} px, which the scores need,")
        return [index for group in groups for index in group]

    def calibration(self, count: int) -> list[DataLoader[CropBatch]]:
        """Photographs of data.valid, each in other degradations than in the evaluation or with other noise: as large as the crops,
        and as large as those of the evaluation."""
        return [self._calibration(count, side) for side in dict.fromkeys((*self.crops.values(), self.evaluation_crop))]

    def _calibration(self, count: int, side: int | None) -> DataLoader[CropBatch]:
        pictures, which, prior = self.pictures("data.valid"), self._evaluated_on(), self.degradation.prior
        drawn = CalibrationSet(
            pictures, which, self.keep_bytes, prior, prior.grid(**self.grid), count, side, self.degradation.multiple
        )
        return DataLoader(drawn, batch_size=1, collate_fn=FrozenGrid.collate)

    def on_after_batch_transfer(self, batch: CropBatch, dataloader_idx: int) -> Batch:
        """Degrade on the device, in float32 whatever the training precision (this hook runs outside autocast)."""
        sharp = batch.sharp if batch.sharp.is_floating_point() else batch.sharp.float() / 255
        noise = batch.noise
        if not isinstance(noise, torch.Tensor):
            noise = standard_normal(tuple(sharp.shape), batch.parameters, sharp.device, noise)
        low = self.degradation.degrade(sharp, batch.parameters, noise)
        low = batch.stress.on_low(low) if batch.stress else low
        return Batch(sharp, low, batch.parameters, batch.names, self.degradation.spec)


def _source(named: str | Sequence[str] | None, key: str) -> Source:
    """What a string or a list stands for: shards at a URL or in a folder, or folders of photographs and names in the wheel."""
    if isinstance(named, int | float):  # a folder that is called 2024
        named = str(named)
    if isinstance(named, str) and _is_shards(named):
        return Shards(url=named)
    for one in () if isinstance(named, str) else named or ():
        require(not _is_shards(str(one)), f"{key}: {one} holds shards, which come alone: {key}={one}, or folders of photographs.")
    return Files(named, key)


def _is_shards(named: str) -> bool:
    return "://" in named or (Path(named) / INDEX).is_file()


def _some(things: Mapping[str, str]) -> str:
    shown = ", ".join(f"{name} ({reason})" for name, reason in list(things.items())[:3])
    return shown if len(things) <= 3 else f"{shown} and {len(things) - 3} more"
