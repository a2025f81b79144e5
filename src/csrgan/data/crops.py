"""The training samples: crop, flip and degradation of sample i are a pure function of (seed, i)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise it contacts the package index at import

import albumentations
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from csrgan.data.pictures import LRUImages, Pictures, Pixels
from csrgan.data.sample_order import SampleOrder
from csrgan.data.stress import Stress
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior

MAX_DRAWS = 10  # positions tried for a crop with enough detail


@dataclass(frozen=True)
class CropBatch:
    """Sharp pictures with the parameters and the noise to degrade them with.

    sharp: in [0,1], or 8 bits. noise: standard normal draws in the shape of `sharp`, or a seed for each picture.
    stress: a stress test applied as well, or None.
    low: L of the pictures that are given with one, in [0,1], any value for the others; None: none is. given: which are.
    """

    sharp: Float[Tensor, "b 3 h w"] | UInt8[Tensor, "b 3 h w"]
    parameters: Parameters
    noise: Tensor | tuple[int, ...]
    names: tuple[str, ...]
    stress: Stress | None = None
    low: Float[Tensor, "b 3 h2 w2"] | None = None
    given: tuple[bool, ...] = ()

    def to(self, device: torch.device) -> CropBatch:
        noise = self.noise.to(device) if isinstance(self.noise, Tensor) else self.noise
        low = None if self.low is None else self.low.to(device)
        return replace(self, sharp=self.sharp.to(device), parameters=self.parameters.to(device), noise=noise, low=low)


Sample = tuple[Pixels, Parameters, int, str]  # crop, theta, seed of its noise, name of the photograph


def integer_seed(*entropy: int) -> int:
    """Mix several integers into one 63-bit seed, the same on every machine."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True)
class CropSchedule:
    """The side of each sample's crop, px: `first`, then `late` from sample number `start` on."""

    first: int
    late: int
    start: int

    def __getitem__(self, index: int) -> int:
        return self.first if index < self.start else self.late

    @property
    def largest_from(self) -> int:
        """The index of the first sample with the largest crop."""
        return self.start if self.late > self.first else 0

    def pixels(self, count: int) -> int:
        """Return the number of pixels in the first `count` samples together."""
        early = min(count, self.start)
        return early * self.first**2 + (count - early) * self.late**2


class Crops(Dataset[Sample]):
    """Random crops, flips and quarter turns of photographs, each with parameters drawn from the prior.

    sides: side of each sample's crop, px. min_detail: a crop with less `detail` is drawn again, ten draws at most; if none has
    enough, the one with the most is taken.
    """

    def __init__(
        self,
        pictures: Pictures,
        keep_bytes: float,
        order: SampleOrder,
        prior: Prior,
        *,
        sides: CropSchedule,
        min_detail: float,
        seed: int,
    ) -> None:
        self.photographs, self.names, self.order, self.prior = LRUImages(pictures, keep_bytes), pictures.names, order, prior
        self.sides, self.min_detail, self.seed = sides, min_detail, seed
        self.turn = albumentations.Compose([albumentations.HorizontalFlip(), albumentations.RandomRotate90()])

    def __getitem__(self, index: int) -> Sample:
        seed, photograph = integer_seed(self.seed, 0, index), self.order[index]
        side = self.sides[index]
        theta = self.prior.sample(np.random.default_rng(seed)).realised(side, side)
        sharp = self.cut(photograph, side, np.random.default_rng((seed, 1)))
        self.turn.set_random_seed(seed % 2**32)
        sharp = np.ascontiguousarray(self.turn(image=sharp)["image"])
        return sharp, theta, integer_seed(self.seed, 2, index), self.names[photograph]

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """Return the samples of a batch, for which a loader asks together."""
        self.photographs.look_ahead(self.order[index] for index in indices)
        return [self[index] for index in indices]

    def cut(self, photograph: int, side: int, generator: np.random.Generator) -> Pixels:
        """Cut a square of `side` px at a random position, where there is enough detail, from the photograph of that index."""
        return self.placed(photograph, side, generator)[0]

    def placed(self, photograph: int, side: int, generator: np.random.Generator, step: int = 1) -> tuple[Pixels, int, int]:
        """Return such a square with its top and left, which are multiples of `step` px."""
        pixels = torch.from_numpy(self.photographs[photograph])
        best, most = None, -1.0
        for _ in range(MAX_DRAWS):
            top, left = (step * int(generator.integers((length - side) // step + 1)) for length in pixels.shape[:2])
            crop: Pixels = pixels[top : top + side, left : left + side].contiguous().numpy()  # faster than NumPy's copy
            if self.min_detail <= 0:
                return crop, top, left
            amount = detail(crop)
            if amount >= self.min_detail:
                return crop, top, left
            if amount > most:
                best, most = (crop, top, left), amount
        assert best is not None
        return best

    @staticmethod
    def collate(samples: list[Sample]) -> CropBatch:
        sharp, theta, seeds, names = zip(*samples, strict=True)
        pictures = torch.from_numpy(np.stack(sharp)).permute(0, 3, 1, 2)  # 8 bits: a quarter of the bytes to send between processes
        return CropBatch(pictures, Parameters.concatenate(list(theta)), seeds, names)


def detail(pixels: Pixels) -> float:
    """Return the mean absolute difference of horizontal neighbours (green, every fourth row) as a fraction of full scale."""
    green = pixels[::4, :, 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=1)).mean()) / 255
