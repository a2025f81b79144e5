"""The training stream: sample i is a pure function of (seed, i), whatever the worker count, batch size or restarts."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the package index at import otherwise

import albumentations
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from csrgan.data import picture
from csrgan.data.stress import Stress
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior


@dataclass(frozen=True)
class Undegraded:
    """Sharp pictures with the parameters and the noise that they are to get.

    noise: standard normal draws like `sharp`, or the seed from which the device draws them.
    stress: what else is done to them; None: nothing.
    """

    sharp: Float[Tensor, "b 3 h w"]
    parameters: Parameters
    noise: Tensor | int
    names: tuple[str, ...]
    stress: Stress | None = None

    def to(self, device: torch.device) -> Undegraded:
        noise = self.noise.to(device) if isinstance(self.noise, Tensor) else self.noise
        return replace(self, sharp=self.sharp.to(device), parameters=self.parameters.to(device), noise=noise)


def integer_seed(*entropy: int) -> int:
    """One well-mixed 63-bit seed from several integers, the same on every machine."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


class Decoded:
    """Decoded pictures (uint8 RGB), the last used ones kept in memory up to a number of bytes."""

    def __init__(self, paths: Sequence[Path], keep_bytes: float) -> None:
        self.paths, self.keep_bytes = list(paths), keep_bytes
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        found = picture.read(self.paths[index])
        pixels = found.pixels if found.full_scale == 255 else (found.pixels / 257).round().astype(np.uint8)
        self._kept[index] = pixels
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > self.keep_bytes:
            self._kept.popitem(last=False)
        return pixels


class Crops(Dataset[tuple[NDArray[np.uint8], Parameters, int, str]]):
    """Random crops, flips and quarter turns of photographs, each with parameters drawn from the prior."""

    def __init__(self, photographs: Decoded, prior: Prior, crop: int, seed: int) -> None:
        self.photographs, self.prior, self.crop, self.seed = photographs, prior, crop, seed
        self.augment = albumentations.Compose(
            [albumentations.RandomCrop(crop, crop), albumentations.HorizontalFlip(), albumentations.RandomRotate90()]
        )
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], Parameters, int, str]:
        seed = integer_seed(self.seed, 0, index)
        which = self._picture(index)
        self.augment.set_random_seed(seed % 2**32)
        sharp = np.ascontiguousarray(self.augment(image=self.photographs[which])["image"])
        theta = self.prior.sample(np.random.default_rng(seed)).realised(self.crop, self.crop)
        return sharp, theta, index, self.photographs.paths[which].name

    def _picture(self, index: int) -> int:
        """Every photograph comes once before any comes again, in an order drawn anew each round."""
        round_, place = divmod(index, len(self.photographs))
        if self._order[0] != round_:
            self._order = (round_, np.random.default_rng((self.seed, 1, round_)).permutation(len(self.photographs)))
        return int(self._order[1][place])

    def collate(self, samples: list[tuple[NDArray[np.uint8], Parameters, int, str]]) -> Undegraded:
        sharp, theta, indices, names = zip(*samples, strict=True)
        pictures = torch.from_numpy(np.stack(sharp)).permute(0, 3, 1, 2).float() / 255
        return Undegraded(pictures, Parameters.concatenate(list(theta)), integer_seed(self.seed, 2, indices[0]), names)


class Span(Sampler[int]):
    """The sample indices start, start + 1, ... up to the budget."""

    def __init__(self, total: int) -> None:
        self.start, self.total = 0, total

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.total))

    def __len__(self) -> int:
        return self.total  # also after a restart: Lightning counts the batches done before it


class ResumableLoader(DataLoader[Any]):
    """A DataLoader that Lightning can stop and restart in the middle: its state is the number of batches handed out."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.handed_out = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        for batch in super().__iter__():
            self.handed_out += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"handed_out": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.handed_out = state["handed_out"]
        sampler: Any = self.sampler
        sampler.start = self.handed_out * (self.batch_size or 1)
