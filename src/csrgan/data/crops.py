"""The training samples: crop, flip and degradation of sample i are a pure function of (seed, i)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the package index at import otherwise

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

TRIES = 10  # places of a crop that are looked at for detail


@dataclass(frozen=True)
class CropBatch:
    """Sharp pictures with the parameters and the noise that they are to get.

    sharp: in [0,1], or 8 bits. noise: standard normal draws like `sharp`, or for each picture the seed of its own.
    stress: what else is done to them; None: nothing.
    """

    sharp: Float[Tensor, "b 3 h w"] | UInt8[Tensor, "b 3 h w"]
    parameters: Parameters
    noise: Tensor | tuple[int, ...]
    names: tuple[str, ...]
    stress: Stress | None = None

    def to(self, device: torch.device) -> CropBatch:
        noise = self.noise.to(device) if isinstance(self.noise, Tensor) else self.noise
        return replace(self, sharp=self.sharp.to(device), parameters=self.parameters.to(device), noise=noise)


Sample = tuple[Pixels, Parameters, int, str]  # crop, theta, seed of its noise, name of the photograph


def integer_seed(*entropy: int) -> int:
    """One well-mixed 63-bit seed from several integers, the same on every machine."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True)
class CropSchedule:
    """The side of each sample's crop, px: `first`, and from sample number `start` on `late`."""

    first: int
    late: int
    start: int

    def __getitem__(self, index: int) -> int:
        return self.first if index < self.start else self.late

    @property
    def largest_from(self) -> int:
        """Number of the first sample with the largest crop."""
        return self.start if self.late > self.first else 0

    def pixels(self, count: int) -> int:
        """Of the first so many samples together."""
        early = min(count, self.start)
        return early * self.first**2 + (count - early) * self.late**2


class Crops(Dataset[Sample]):
    """Random crops, flips and quarter turns of photographs, each with parameters drawn from the prior.

    sides: of each sample's crop, px. min_detail: crops with less `detail` are drawn again, up to ten times; the one with the most
    is taken.
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
        seed, which = integer_seed(self.seed, 0, index), self.order[index]
        side = self.sides[index]
        theta = self.prior.sample(np.random.default_rng(seed)).realised(side, side)
        sharp = self.cut(which, side, np.random.default_rng((seed, 1)))
        self.turn.set_random_seed(seed % 2**32)
        sharp = np.ascontiguousarray(self.turn(image=sharp)["image"])
        return sharp, theta, integer_seed(self.seed, 2, index), self.names[which]

    def cut(self, which: int, side: int, drawn: np.random.Generator) -> Pixels:
        """A crop of photograph `which`, of so many pixels a side, at a random place where there is detail."""
        pixels = torch.from_numpy(self.photographs[which])
        best, most = None, -1.0
        for _ in range(TRIES):
            top, left = (int(drawn.integers(length - side + 1)) for length in pixels.shape[:2])
            result: Pixels = pixels[top : top + side, left : left + side].contiguous().numpy()  # faster than NumPy's copy
            if self.min_detail <= 0:
                return result
            here = detail(result)
            if here >= self.min_detail:
                return result
            if here > most:
                best, most = result, here
        assert best is not None
        return best

    @staticmethod
    def collate(samples: list[Sample]) -> CropBatch:
        sharp, theta, seeds, names = zip(*samples, strict=True)
        pictures = torch.from_numpy(np.stack(sharp)).permute(0, 3, 1, 2)  # 8 bits: a quarter to carry between processes
        return CropBatch(pictures, Parameters.concatenate(list(theta)), seeds, names)


def detail(pixels: Pixels) -> float:
    """Mean absolute difference of horizontal neighbours in the green channel, in every fourth row, as a fraction of full scale."""
    green = pixels[::4, :, 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=1)).mean()) / 255
