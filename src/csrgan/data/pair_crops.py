"""Samples and evaluation items of given pairs: H and L, cut at the same place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from csrgan.data.crops import CropBatch, Crops, Sample, integer_seed
from csrgan.data.pair_sizes import Values
from csrgan.data.paired import Paired
from csrgan.data.pictures import LRUImages, Pixels
from csrgan.data.stress import Stress
from csrgan.degradation.parameters import Parameters

PairSample = tuple[Pixels, Values | None, Parameters, int, str]  # H, L if it is given, theta, seed of the noise, name


class PairCrops(Dataset[PairSample]):
    """Random crops of pairs, flipped and turned together; a share of them is degraded synthetically, as `Crops` does it.

    crops: of the sharp pictures. Crop, flip, turn and whether L is given are a pure function of (seed, i).
    """

    def __init__(self, paired: Paired, crops: Crops, keep_bytes: float) -> None:
        self.paired, self.crops, self.lows = paired, crops, LRUImages(paired.low, keep_bytes)

    def __getitem__(self, index: int) -> PairSample:
        crops, paired = self.crops, self.paired
        seed, pair = integer_seed(crops.seed, 0, index), crops.order[index]
        if np.random.default_rng((seed, 3)).random() < paired.share:
            return self._degraded(crops[index])
        side = crops.sides[index]
        sharp, top, left = crops.placed(pair, side, np.random.default_rng((seed, 1)), paired.step)
        low = paired.low_part(self.lows[pair], pair, top, left, side, side)
        turned = []
        for image in (sharp, low):
            crops.turn.set_random_seed(seed % 2**32)
            turned.append(np.ascontiguousarray(crops.turn(image=image)["image"]))
        theta = paired.thetas[pair]
        if crops.prior.kernel is None:  # crops that are degraded synthetically have none either
            theta = Parameters.of({name: value for name, value in theta.present().items() if name != "kernel"})
        return turned[0], turned[1], theta, integer_seed(crops.seed, 2, index), paired.names[pair]

    @staticmethod
    def _degraded(sample: Sample) -> PairSample:
        sharp, theta, noise, name = sample
        return sharp, None, theta, noise, name

    @staticmethod
    def collate(samples: list[PairSample]) -> CropBatch:
        sharp, low, theta, seeds, names = zip(*samples, strict=True)
        batch = Crops.collate(list(zip(sharp, theta, seeds, names, strict=True)))
        given = [image for image in low if image is not None]
        if not given:
            return batch
        blank = np.zeros_like(given[0])
        lows = torch.from_numpy(np.stack([blank if image is None else image for image in low])).permute(0, 3, 1, 2)
        return CropBatch(
            batch.sharp, batch.parameters, batch.noise, batch.names, low=lows, given=tuple(image is not None for image in low)
        )


class PairSet(Dataset[CropBatch]):
    """The pairs of an evaluation, each a batch of one.

    indices: of the pairs. crop: maximum side of H, px; larger pictures are cut to their centre, where a pixel of L begins; None: no
    cut. stress: hot pixels in L, see `Stress`.
    """

    def __init__(self, paired: Paired, indices: Sequence[int], keep_bytes: float, crop: int | None, stress: Stress) -> None:
        self.paired, self.indices, self.crop, self.stress = paired, indices, crop, stress
        self.sharps, self.lows = LRUImages(paired, keep_bytes), LRUImages(paired.low, keep_bytes)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> CropBatch:
        paired, pair = self.paired, self.indices[index]
        (top, height), (left, width) = (centred(length, self.crop, paired.step) for length in paired.sizes[pair])
        pixels = self.sharps[pair][top : top + height, left : left + width]
        low = paired.low_part(self.lows[pair], pair, top, left, height, width)
        images = [torch.from_numpy(each).permute(2, 0, 1)[None].contiguous() for each in (pixels.astype(np.float32) / 255, low)]
        return CropBatch(images[0], paired.thetas[pair], (0,), (paired.names[pair],), self.stress, low=images[1], given=(True,))


def centred(length: int, most: int | None, step: int) -> tuple[int, int]:
    """Return the start and the length of the centre of an axis, both multiples of `step`."""
    kept = length if most is None else min(length, most)
    kept = max(kept - kept % step, step)
    return (length - kept) // 2 // step * step, kept
