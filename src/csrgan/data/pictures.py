"""Decoded photographs by index, the last used ones kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

MAX_KEPT = 10_000  # pictures kept at once in a process: an operating system limits the number of mapped files
Pixels = NDArray[np.uint8]  # (height, width, 3), RGB
Array_co = TypeVar("Array_co", bound=NDArray[np.generic], covariant=True)


@runtime_checkable
class Pictures(Protocol):
    """Photographs, wherever they are stored: the interface of a data set."""

    @property
    def names(self) -> Sequence[str]:
        """The unique name of each photograph in rows and panels."""

    @property
    def sizes(self) -> Sequence[tuple[int, int]]:
        """Height and width of each, px."""

    @property
    def groups(self) -> Sequence[Sequence[int]]:
        """Groups of indices of photographs that are cheap to read together."""

    def pixels(self, index: int) -> Pixels:
        """Return photograph `index`, decoded or mapped from a file."""

    def intact(self, index: int) -> bool:
        """Return whether an array that `pixels` returned before can still be read. Reading past the end of a mapped file that
        was cut short would kill the process."""


@runtime_checkable
class Stored(Protocol[Array_co]):
    """Arrays by index, as `Pictures` stores photographs."""

    def pixels(self, index: int) -> Array_co: ...

    def intact(self, index: int) -> bool: ...


@runtime_checkable
class Distant(Protocol):
    """Photographs whose reading takes a while to begin, as in an object store."""

    def look_ahead(self, indices: Sequence[int]) -> None:
        """Read these photographs' files at once, because their pixels are asked for next."""


class LRUImages(Generic[Array_co]):
    """Photographs, the last used of which stay in memory or mapped, up to `keep_bytes` in each process."""

    def __init__(self, pictures: Stored[Array_co], keep_bytes: float) -> None:
        self.pictures, self.keep_bytes = pictures, keep_bytes
        self._kept: OrderedDict[int, Array_co] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, index: int) -> Array_co:
        if index in self._kept:
            if self.pictures.intact(index):
                self._kept.move_to_end(index)
                return self._kept[index]
            self._bytes -= self._kept.pop(index).nbytes
        pixels = self._kept[index] = self.pictures.pixels(index)
        self._bytes += pixels.nbytes
        while len(self._kept) > 1 and (self._bytes > self.keep_bytes or len(self._kept) > MAX_KEPT):
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return pixels

    def look_ahead(self, indices: Iterable[int]) -> None:
        """Let distant photographs be read at once: those of the indices that are not kept."""
        if isinstance(self.pictures, Distant):
            self.pictures.look_ahead([index for index in dict.fromkeys(indices) if index not in self._kept])

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_kept": OrderedDict(), "_bytes": 0}  # a loader process starts empty
