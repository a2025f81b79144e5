"""The LightningDataModule: sharp crops cut on the CPU, degraded on the device, with the drawn parameters as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import torch
from lightning import LightningDataModule
from rich.console import Console
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.data import held_out, leak
from csrgan.data.cache import Cache
from csrgan.data.crops import CropBatch, Crops, CropSchedule, Sample
from csrgan.data.grid import CalibrationSet, FrozenGrid
from csrgan.data.loader import ResumableBatchSampler, ResumableLoader
from csrgan.data.pair_crops import PairCrops, PairSample, PairSet
from csrgan.data.pair_source import Pairs
from csrgan.data.paired import Paired
from csrgan.data.pictures import Pictures
from csrgan.data.sample_order import SampleOrder
from csrgan.data.shards import Shards, is_shards
from csrgan.data.sources import Files, Source
from csrgan.data.stress import Stress
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, raise_faults, require
from csrgan.ranges import Count, CountOr0, NotNegative, Seed, Share, Within
from csrgan.records import Batch

GRID = MappingProxyType({"blur": 3, "scale": 2, "noise": 2})
MIN_SIDE = 32  # px, of a photograph to evaluate on: SSIM and the perceptual distance are undefined below


class Photographs(Recorded, LightningDataModule):
    """Photographs to train on and to evaluate on.

    train, valid: a folder, shards, a list of folders and of photographs inside the scikit-image wheel, or a `Source` (`Pairs`).
    valid may also be a share of the folder of train, such as "10%", see `data.held_out`.
    pairs: whether a folder that train or valid names holds pairs of degraded and sharp pictures.
    archive: files of a data set that are already on disk. strict: stop where a file cannot be used.
    cache: folder for downloads and decoded photographs; None: the user's cache folder. cache_mb: what decoded photographs may take
    there, megabytes. memory_mb: photographs kept in memory or mapped, megabytes per process.
    crop: side of a training crop, px. final_crop: side in the last `final_fraction` of the training; None: unchanged.
    min_detail: a crop is drawn again if the mean difference of its neighbouring pixels is below this fraction of full scale.
    window: photographs whose crops are mixed. crops_per_image: crops of each before the next window.
    batch_size: crops per batch, of all devices together. workers: loader processes beside the main one, per device.
    images: the training budget, or that of each pass where Lightning makes several (`max_epochs`).
    degradation: the protocol; None: `readme`. grid: levels of blur, scale and noise in the evaluation. repeats: noise seeds of each
    cell. evaluation_crop: greatest side of a photograph that is evaluated, px, cut from its centre; None: whole photographs.
    contrast: of evaluated photographs about mid-grey, a stress test below 1. hot_pixels: pixels of L stuck at white, a stress test.
    metrics: names of those that the evaluation computes besides the usual ones, see `csrgan.metrics`.
    convention: what is scored, see `evaluation.conventions`.
    seed: of the crops, their degradations and their order.
    Raises UserError for a range, a budget or an archive that cannot be.
    """

    kept_on_resume = ("batch_size", "crop", "degradation", "seed")  # the samples and their order depend on these

    def __init__(
        self,
        *,
        train: str | Sequence[str] | Source | None = None,
        valid: str | Sequence[str] | Source | None = None,
        pairs: bool = False,
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
        metrics: str | Sequence[str] | None = (),
        convention: Literal["exact", "eight_bits", "matlab"] = "exact",
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        raise_faults(rules.budget(images, batch_size))
        self.sources = {"data.train": train, "data.valid": valid}
        if pairs:
            self.sources = {key: _pairs(value, key) for key, value in self.sources.items()}
        elif held_out.is_share(valid):
            self.sources = held_out.split(train, str(valid))
        self._archives = [Path(file) for file in ([archive] if isinstance(archive, str) else archive or [])]
        wanted = [name for source in self.sources.values() if isinstance(source, Source) for name in source.wants]
        for file in self._archives:
            if file.name not in wanted:
                raise UserError.unknown("data.archive", file.name, wanted)
        self._strict, self.cache, self._keep_bytes = strict, Cache(cache, cache_mb), memory_mb * 2**20
        self._crops = {"data.crop": crop} | ({"data.final_crop": final_crop} if final_crop is not None else {})
        self._final_fraction, self._min_detail, self._crops_per_image, self._window = (
            final_fraction,
            min_detail,
            crops_per_image,
            window,
        )
        self.batch_size, self._workers, self._images, self._grid, self._repeats = batch_size, workers, images, grid, repeats
        self._evaluation_crop, self._stress, self._seed = evaluation_crop, Stress(contrast, hot_pixels), seed
        self._metrics = rules.listed(metrics)
        self.convention, self.degradation = convention, degradation or Degradation()
        self.console = Console(quiet=True)
        self.refused: dict[str, str] = {}
        self._pictures: dict[str, Pictures] = {}

    def examine(self, console: Console, *, train: bool) -> Mapping[str, str]:
        """Fetch and decode everything that the evaluation and, with `train`, the training will need.

        Returns the files that cannot be used, each with the reason. Raises UserError where no file is left, or where one cannot
        be used and data.strict is true.
        """
        self.console = console
        if train:
            self.train_dataloader()
        self.val_dataloader()
        if train and (line := leak.warning(self.pictures("data.train"), self.pictures("data.valid"))):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        return self.refused

    def pictures(self, key: str) -> Pictures:
        """Return the photographs of data.train or data.valid; the first call finds and decodes them."""
        if key not in self._pictures:
            value = self.sources[key]
            source = value if isinstance(value, Source) else _source(value, key)
            if isinstance(source, Pairs):
                source.used_as(key, self.degradation)
            self._pictures[key] = source.pictures(self.cache, self._archives, self.console)
            self._refuse(key, source.refused)
            require(len(self._pictures[key].names) > 0, f"{key}: no photograph can be used: {_first_three(source.refused)}.")
        return self._pictures[key]

    def _refuse(self, key: str, refused: Mapping[str, str]) -> None:
        self.refused |= {f"{key}: {name}": reason for name, reason in refused.items()}
        if refused and self._strict:
            raise UserError(f"{key}: {len(refused)} cannot be used, and data.strict=true: {_first_three(refused)}.")

    def _large_enough(self, key: str, side: int, label: str) -> list[Sequence[int]]:
        """Return the groups of photographs whose shorter side is at least `side` px. label: names the limit in messages."""
        pictures = self.pictures(key)
        sizes = zip(pictures.names, pictures.sizes, strict=True)
        reason = f"smaller than {label.rstrip(',')}"
        small = {name: f"{width}x{height} is {reason}" for name, (height, width) in sizes if min(height, width) < side}
        require(len(small) < len(pictures.names), f"{label} is larger than every photograph of {key}: {_first_three(small)}.")
        self._refuse(key, small)
        groups = ([index for index in group if min(pictures.sizes[index]) >= side] for group in pictures.groups)
        return [group for group in groups if group]

    def train_dataloader(self) -> ResumableLoader[Sample, CropBatch] | ResumableLoader[PairSample, CropBatch]:
        pictures = self.pictures("data.train")
        scale = rules.scale_multiple(self.degradation.multiple)
        raise_faults(*(rules.multiples(key, side, scale) for key, side in self._crops.items()))
        rank, world = self._process
        raise_faults(rules.shared_batch(self.batch_size, world))
        order = SampleOrder(self._training_groups(), window=self._window, crops_per_image=self._crops_per_image, seed=self._seed)
        prior, detail = self.degradation.prior, self._min_detail
        crops = Crops(pictures, self._keep_bytes, order, prior, sides=self.sides(), min_detail=detail, seed=self._seed)
        span = ResumableBatchSampler(self._images, self.batch_size, rank, world)
        if isinstance(pictures, Paired) and pictures.share < 1:
            pairs = PairCrops(pictures, crops, self._keep_bytes)
            return ResumableLoader(pairs, span, num_workers=self._workers, collate_fn=pairs.collate)
        return ResumableLoader(crops, span, num_workers=self._workers, collate_fn=crops.collate)

    @property
    def _process(self) -> tuple[int, int]:
        """The number of this process among those that train together, and how many they are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def sides(self) -> CropSchedule:
        """Return the crop schedule. All crops of a batch have one side; the last has the final."""
        first, batch = self._crops["data.crop"], self.batch_size
        batches = self._images // batch
        start = min(round(batches * (1 - self._final_fraction)), batches - 1) * batch
        return CropSchedule(first, self._crops.get("data.final_crop", first), start)

    def _training_groups(self) -> list[Sequence[int]]:
        key, side = max(self._crops.items(), key=lambda crop: crop[1])
        return self._large_enough("data.train", side, f"{key}={side}")

    def predict_dataloader(self) -> DataLoader[CropBatch]:
        return self.val_dataloader()

    def val_dataloader(self) -> DataLoader[CropBatch]:
        cells = self.degradation.prior.grid(**self._grid)
        multiple = self.degradation.multiple
        pictures, indices = self.pictures("data.valid"), self._evaluation_indices()
        if isinstance(pictures, Paired) and pictures.share < 1:
            self._stress.examine_given()
            pairs = PairSet(pictures, indices, self._keep_bytes, self._evaluation_crop, self._stress)
            return DataLoader(pairs, batch_size=1, collate_fn=FrozenGrid.collate, sampler=self._shared(pairs))
        frozen = FrozenGrid(
            pictures,
            indices,
            self._keep_bytes,
            cells,
            self._repeats,
            self._evaluation_crop,
            self._stress,
            multiple,
            self.degradation.draws,
        )
        return DataLoader(frozen, batch_size=1, collate_fn=frozen.collate, sampler=self._shared(frozen))

    def _shared(self, pictures: Dataset[Any]) -> Sampler[int] | None:
        """Share the pictures of an evaluation among the processes, see `training.shared_out`."""
        rank, world = self._process
        return DistributedSampler(pictures, world, rank, shuffle=False) if world > 1 else None

    def _evaluation_indices(self) -> list[int]:
        groups = self._large_enough("data.valid", MIN_SIDE, f"{MIN_SIDE} px, which the scores need,")
        return [index for group in groups for index in group]

    def calibration(self, count: int) -> list[DataLoader[CropBatch]]:
        """Return loaders of `count` photographs of data.valid, one for each size of the crops and of the evaluation. Degradations
        or noise differ from those of the evaluation."""
        return [self._calibration(count, side) for side in dict.fromkeys((*self._crops.values(), self._evaluation_crop))]

    def _calibration(self, count: int, side: int | None) -> DataLoader[CropBatch]:
        pictures, indices, prior = self.pictures("data.valid"), self._evaluation_indices(), self.degradation.prior
        calibration_set = CalibrationSet(
            pictures,
            indices,
            self._keep_bytes,
            prior,
            prior.grid(**self._grid),
            count,
            side,
            self.degradation.multiple,
            self.degradation.draws,
        )
        return DataLoader(calibration_set, batch_size=1, collate_fn=FrozenGrid.collate)

    def on_after_batch_transfer(self, batch: CropBatch, dataloader_idx: int) -> Batch:
        """Degrade on the device, in float32 whatever the training precision (this hook runs outside autocast)."""
        sharp = batch.sharp if batch.sharp.is_floating_point() else batch.sharp.float() / 255
        low = self._low(sharp, batch)
        low = batch.stress.on_low(low) if batch.stress else low
        settings = self.degradation.spec, self._metrics, self.convention, self.degradation.prior
        return Batch(sharp, low, batch.parameters, batch.names, *settings)

    def _low(self, sharp: torch.Tensor, batch: CropBatch) -> torch.Tensor:
        """Return the given L, and degrade the pictures that have none."""
        if batch.low is None:
            return self._degraded(sharp, batch.parameters, batch.noise)
        missing = [index for index, given in enumerate(batch.given) if not given]
        if not missing:
            return batch.low
        which = torch.tensor(missing, device=sharp.device)
        assert not isinstance(batch.noise, torch.Tensor)
        made = self._degraded(sharp[which], batch.parameters[which], tuple(batch.noise[index] for index in missing))
        return batch.low.index_copy(0, which, made)

    def _degraded(self, sharp: torch.Tensor, parameters: Parameters, noise: torch.Tensor | tuple[int, ...]) -> torch.Tensor:
        if not isinstance(noise, torch.Tensor):
            noise = self.degradation.noise(tuple(sharp.shape), parameters, sharp.device, noise)
        return self.degradation.degrade(sharp, parameters, noise)


def _source(value: str | Sequence[str] | None, key: str) -> Source:
    """Return the source that a string or a list names: shards at a URL or in a folder, or folders and photographs of the wheel."""
    if isinstance(value, int | float):  # a folder called 2024
        value = str(value)
    if isinstance(value, str) and is_shards(value):
        return Shards(url=value)
    for item in () if isinstance(value, str) else value or ():
        sentence = f"{key}: {item} holds shards, which cannot be part of a list: take {key}={item}, or folders of photographs."
        require(not is_shards(str(item)), sentence)
    return Files(value, key)


def _pairs(value: str | Sequence[str] | Source | None, key: str) -> Source | None:
    """Return the pairs in the folder that a string names."""
    if isinstance(value, Source) or not value:
        return value if isinstance(value, Source) else None
    require(isinstance(value, str | int | float), f"{key} takes one folder of pairs, and {value} are several.")
    return Pairs(folder=str(value))


def _first_three(reasons: Mapping[str, str]) -> str:
    shown = ", ".join(f"{name} ({reason})" for name, reason in list(reasons.items())[:3])
    return shown if len(reasons) <= 3 else f"{shown} and {len(reasons) - 3} more"
