"""The frozen evaluation set: every photograph in every cell of a grid of degradations, the same for every run and machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from csrgan.data.crops import CropBatch
from csrgan.data.pictures import LRUImages, Pictures
from csrgan.data.stress import Stress
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior


class FrozenGrid(Dataset[CropBatch]):
    """One item per photograph, cell and noise seed, each a batch of one.

    indices: of the photographs. keep_bytes: see `LRUImages`. cells: the degradations. repeats: noise seeds per cell.
    crop: maximum side, px; larger photographs are cut to their centre; None: no cut. multiple: sides are cut to multiples of it,
    px. stress: see `Stress`. draws: standard normal draws that a pixel and channel needs, see `Degradation.draws`.
    """

    def __init__(
        self,
        pictures: Pictures,
        indices: Sequence[int],
        keep_bytes: float,
        cells: Parameters,
        repeats: int,
        crop: int | None,
        stress: Stress,
        multiple: int = 1,
        draws: int = 1,
    ) -> None:
        self.photographs, self.names, self.indices = LRUImages(pictures, keep_bytes), pictures.names, indices
        self.cells, self.repeats, self.crop, self.multiple, self.stress = cells, repeats, crop, multiple, stress
        self.draws = draws

    def __len__(self) -> int:
        return len(self.indices) * len(self.cells) * self.repeats

    def __getitem__(self, index: int) -> CropBatch:
        position, remainder = divmod(index, len(self.cells) * self.repeats)
        photograph = self.indices[position]
        cell, repeat = divmod(remainder, self.repeats)
        sharp = _picture(self.photographs[photograph], self.crop, self.multiple)
        # Drawn here by NumPy on the CPU, so that the noise is the same on a GPU and on every machine.
        noise = np.random.default_rng((repeat, position, cell)).standard_normal(several(sharp.shape, self.draws), np.float32)
        parameters = self.cells[cell : cell + 1].realised(*sharp.shape[2:])
        stressed = self.stress.on_sharp(sharp)
        return CropBatch(stressed, parameters, torch.from_numpy(noise), (self.names[photograph],), self.stress)

    @staticmethod
    def collate(items: Sequence[CropBatch]) -> CropBatch:
        return items[0]


class CalibrationSet(Dataset[CropBatch]):
    """`count` items, the same for every run: photographs in turn, degraded alternately as drawn from the prior and as in the next
    cell of the grid. Draws reach the ends of the prior, where most misses are, and the grid does not; half of the items represent
    each. For the arguments see `FrozenGrid`, whose noise differs."""

    def __init__(
        self,
        pictures: Pictures,
        indices: Sequence[int],
        keep_bytes: float,
        prior: Prior,
        cells: Parameters,
        count: int,
        crop: int | None,
        multiple: int,
        draws: int = 1,
    ) -> None:
        self.photographs, self.names = LRUImages(pictures, keep_bytes), pictures.names
        self.prior, self.cells, self.crop, self.multiple, self.draws = prior, cells, crop, multiple, draws
        self.indices = [indices[index * len(indices) // count] for index in range(count)]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> CropBatch:
        sharp = _picture(self.photographs[self.indices[index]], self.crop, self.multiple)
        generator = np.random.default_rng((index, len(self)))
        cell = index // 2 % len(self.cells)
        theta = self.cells[cell : cell + 1] if index % 2 else self.prior.sample(generator)
        parameters = theta.realised(*sharp.shape[2:])
        noise = generator.standard_normal(several(sharp.shape, self.draws), np.float32)
        return CropBatch(sharp, parameters, torch.from_numpy(noise), (self.names[self.indices[index]],), None)


def _picture(pixels: np.ndarray, side: int | None, multiple: int) -> Float[Tensor, "1 3 h w"]:
    """Return the centre of a photograph as a network's input, in [0,1]."""
    return torch.from_numpy(centre(pixels, side, multiple).astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()


def several(shape: Sequence[int], draws: int) -> tuple[int, ...]:
    """Return the shape of so many draws for pictures of this shape (batch, channel, height, width): the more, the more channels."""
    batch, channels, height, width = shape
    return batch, draws * channels, height, width


def centre(pixels: np.ndarray, side: int | None, multiple: int = 1) -> np.ndarray:
    """Return the centre of a picture (height, width, channels), at most `side` px a side, cut to multiples of `multiple` px.

    With side=None the lower and right edges are cut off instead, as in the field's `modcrop`.
    """
    rows, columns = (part(length, side, multiple) for length in pixels.shape[:2])
    return pixels[rows, columns]


def part(length: int, side: int | None, multiple: int) -> slice:
    """Return the part of an axis that `centre` keeps."""
    kept = length if side is None else min(length, side)
    kept = max(kept - kept % multiple, 1)
    start = 0 if side is None else (length - kept) // 2
    return slice(start, start + kept)
