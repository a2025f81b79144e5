"""Pictures that are enlarged bicubically while they are read in parts."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.resample import Band, bicubic
from csrgan.networks.source import Pictures, Source, whole

BLOCK = 64  # rows of a band that are multiplied together


class Enlarged:
    """A source `factor` times as large, clipped to [0,1]: what `torch.nn.functional.interpolate` with scale_factor, bicubic and
    antialiased, makes of the whole."""

    def __init__(self, source: Source, factor: float) -> None:
        self.source, self.factor = source, factor
        self.height, self.width = int(source.height * factor), int(source.width * factor)

    def part(self, rows: slice, columns: slice) -> Pictures:
        if (rows.stop - rows.start, columns.stop - columns.start) == (self.height, self.width):
            return interpolate(whole(self.source), scale_factor=self.factor, mode="bicubic", antialias=True).clamp(0, 1)
        down, across = self._bands
        top, left = _reads(down, rows, self.source.height), _reads(across, columns, self.source.width)
        window = self.source.part(top, left)
        tall = _resampled(window, down, rows, top.start)
        return _resampled(tall.mT, across, columns, left.start).mT.clamp(0, 1)

    @cached_property
    def _bands(self) -> tuple[Band, Band]:
        return _band(self.source.height, self.height, self.factor), _band(self.source.width, self.width, self.factor)


def _band(few: int, many: int, factor: float) -> Band:
    scale = torch.tensor([1 / factor], dtype=torch.float64)
    return bicubic(torch.tensor([few]), torch.tensor([many]), scale, many, max(1 / factor, 1.0), torch.float32)


def _reads(band: Band, rows: slice, side: int) -> slice:
    """Return which pixels these rows of the result are made from."""
    first = band.first[0, rows]
    return slice(max(int(first[0]), 0), min(int(first[-1]) + band.weight.shape[2], side))


def _resampled(window: Tensor, band: Band, rows: slice, start: int) -> Tensor:
    """Return these rows of the result. window: the pixels that they are made from, of which the first has the number `start`."""
    result = window.new_empty(*window.shape[:-2], rows.stop - rows.start, window.shape[-1])
    end = start + window.shape[-2]
    for first in range(rows.start, rows.stop, BLOCK):
        block = slice(first, min(first + BLOCK, rows.stop))
        reads = _reads(band, block, end)
        part = Band(band.first[:, block] - reads.start, band.weight[:, block])
        matrix = part.matrix(slice(None), reads.stop - reads.start)[0].to(window)
        inputs = window[..., reads.start - start : reads.stop - start, :]
        result[..., block.start - rows.start : block.stop - rows.start, :] = matrix @ inputs
    return result
