"""Pictures that somebody's program restored already, in the place of a restorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.data import picture
from csrgan.degradation.augmentation import Degradation
from csrgan.records import Restoration
from csrgan.restorers.restorer import Restorer


@dataclass(frozen=True)
class GivenPicture:
    """The file that holds S of a whole photograph, and the rows and columns of it that are scored."""

    file: Path
    rows: slice
    columns: slice


class GivenPictures(Restorer):
    """S of each photograph is read from a file. pictures: by the photograph's name."""

    outputs = ("upsampled", "native")

    def __init__(self, pictures: Mapping[str, GivenPicture], *, degradation: Degradation | None = None) -> None:
        super().__init__(degradation or Degradation())
        self.pictures = pictures

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        return Restoration(torch.stack([self._read(self.pictures[name]) for name in names]).to(low.device))

    @staticmethod
    def _read(given: GivenPicture) -> Float[Tensor, "3 h w"]:
        """Return the part that is scored, with 16 bits where the file has them."""
        source = picture.read(given.file)
        pixels = source.srgb[given.rows, given.columns]
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / source.full_scale)
