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
    """One item a photograph, cell and noise seed, each a batch of one.

    which: the numbers of the photographs. keep_bytes: see `LRUImages`. cells: the degradations. repeats: noise seeds a cell.
    crop: greatest side in pixels; larger photographs are cut to their centre; None leaves them whole.
    multiple: sides are cut to multiples of it, px. stress: see `Stress`.
    """

    def __init__(
        self,
        pictures: Pictures,
        which: Sequence[int],
        keep_bytes: float,
        cells: Parameters,
        repeats: int,
        crop: int | None,
        stress: Stress,
        multiple: int = 1,
    ) -> None:
        self.photographs, self.names, self.which = LRUImages(pictures, keep_bytes), pictures.names, which
        self.cells, self.repeats, self.crop, self.multiple, self.stress = cells, repeats, crop, multiple, stress

    def __len__(self) -> int:
        return len(self.which) * len(self.cells) * self.repeats

    def __getitem__(self, index: int) -> CropBatch:
        place, inner = divmod(index, len(self.cells) * self.repeats)
        which = self.which[place]
        cell, repeat = divmod(inner, self.repeats)
        sharp = _picture(self.photographs[which], self.crop, self.multiple)
        # Drawn here, on the CPU and by NumPy, so that a GPU or another machine is shown the same noise.
        noise = np.random.default_rng((repeat, place, cell)).standard_normal(sharp.shape, dtype=np.float32)
        parameters = self.cells[cell : cell + 1].realised(*sharp.shape[2:])
        stressed = self.stress.on_sharp(sharp)
        return CropBatch(stressed, parameters, torch.from_numpy(noise), (self.names[which],), self.stress)

    @staticmethod
    def collate(items: Sequence[CropBatch]) -> CropBatch:
        return items[0]


class CalibrationSet(Dataset[CropBatch]):
    """So many items, the same for every run: photographs one after the other, by turns in a degradation drawn from the prior and in
    the next cell of the grid. What is drawn reaches to the ends of the prior, where most misses are, and the grid does not; half of
    each stands for both. See `FrozenGrid`, whose noise is another."""

    def __init__(
        self,
        pictures: Pictures,
        which: Sequence[int],
        keep_bytes: float,
        prior: Prior,
        cells: Parameters,
        count: int,
        crop: int | None,
        multiple: int,
    ) -> None:
        self.photographs, self.names = LRUImages(pictures, keep_bytes), pictures.names
        self.prior, self.cells, self.crop, self.multiple = prior, cells, crop, multiple
        self.which = [which[index * len(which) // count] for index in range(count)]

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, index: int) -> CropBatch:
        sharp = _picture(self.photographs[self.which[index]], self.crop, self.multiple)
        generator = np.random.default_rng((index, len(self)))
        cell = index // 2 % len(self.cells)
        found = self.cells[cell : cell + 1] if index % 2 else self.prior.sample(generator)
        parameters = found.realised(*sharp.shape[2:])
        noise = generator.standard_normal(sharp.shape, dtype=np.float32)
        return CropBatch(sharp, parameters, torch.from_numpy(noise), (self.names[self.which[index]],), None)


def _picture(pixels: np.ndarray, side: int | None, multiple: int) -> Float[Tensor, "1 3 h w"]:
    """The middle of a photograph, as networks see it."""
    return torch.from_numpy(centre(pixels, side, multiple).astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()


def centre(pixels: np.ndarray, side: int | None, multiple: int = 1) -> np.ndarray:
    """The middle of a picture (height, width, channels): at most `side` pixels high and wide, its sides multiples of `multiple`.

    Where a whole picture (None) is cut to multiples, the lower and right edges go, as the field does it (`modcrop`).
    """
    found = [length if side is None else min(length, side) for length in pixels.shape[:2]]
    height, width = (max(length - length % multiple, 1) for length in found)
    top, left = (0, 0) if side is None else ((pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2)
    return pixels[top : top + height, left : left + width]
