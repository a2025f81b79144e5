"""Decoded photographs by number, as many of them kept at hand as the memory is given for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

MOST = 10_000  # pictures of a process that are kept at once: a system maps no more than some ten thousand files
Pixels = NDArray[np.uint8]  # (height, width, 3), RGB


@runtime_checkable
class Pictures(Protocol):
    """Photographs, wherever they lie: what a data set must offer."""

    @property
    def names(self) -> Sequence[str]:
        """Of each, unique, as rows and panels call it."""

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Height and width of each, px."""

    @property
    def groups(self) -> Sequence[Sequence[int]]:
        """The numbers of those that are cheap to read together."""

    def pixels(self, index: int) -> Pixels:
        """Photograph `index`, decoded or mapped from a file."""

    def intact(self, index: int) -> bool:
        """Whether what `pixels` gave before can still be read: beyond the end of a mapped file that was cut short, it would end
        the process."""


class LRUImages:
    """Photographs of which the last used ones stay in memory or mapped, up to a number of bytes, in each process."""

    def __init__(self, pictures: Pictures, keep_bytes: float) -> None:
        self.pictures, self.keep_bytes = pictures, keep_bytes
        self._kept: OrderedDict[int, Pixels] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, index: int) -> Pixels:
        if index in self._kept:
            if self.pictures.intact(index):
                self._kept.move_to_end(index)
                return self._kept[index]
            self._bytes -= self._kept.pop(index).nbytes
        found = self._kept[index] = self.pictures.pixels(index)
        self._bytes += found.nbytes
        while len(self._kept) > 1 and (self._bytes > self.keep_bytes or len(self._kept) > MOST):
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_kept": OrderedDict(), "_bytes": 0}  # a loader process begins with none
