"""Pictures that a network reads in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pictures = Float[Tensor, "b c h w"]


@runtime_checkable
class Source(Protocol):
    """Pictures of one size, of which a large one need not be in memory as floating point. height, width: px."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    def part(self, rows: slice, columns: slice) -> Pictures:
        """Return these rows and columns, which lie in the picture."""


class InMemory:
    """Pictures that are in memory as a tensor."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.height, self.width = pictures.shape[-2:]

    def part(self, rows: slice, columns: slice) -> Pictures:
        return self.pictures[..., rows, columns]


class OnDevice:
    """A source whose parts are copied to a device."""

    def __init__(self, source: Source, device: torch.device) -> None:
        self.source, self.device = source, device
        self.height, self.width = source.height, source.width

    def part(self, rows: slice, columns: slice) -> Pictures:
        return self.source.part(rows, columns).to(self.device)


class Changed:
    """A source whose pixels a function changes, each by itself."""

    def __init__(self, source: Source, function: Callable[[Tensor], Tensor]) -> None:
        self.source, self.function = source, function
        self.height, self.width = source.height, source.width

    def part(self, rows: slice, columns: slice) -> Pictures:
        return self.function(self.source.part(rows, columns))


class Padded:
    """A source whose right and lower edge are repeated until both sides are multiples of `multiple` px, as by `pad_to_multiple`."""

    def __init__(self, source: Source, multiple: int) -> None:
        self.source = source
        self.height, self.width = (-(-side // multiple) * multiple for side in (source.height, source.width))

    def part(self, rows: slice, columns: slice) -> Pictures:
        height, width = self.source.height, self.source.width
        inside = self.source.part(_within(rows, height), _within(columns, width))
        below, right = (wanted.stop - wanted.start - side for wanted, side in zip((rows, columns), inside.shape[-2:], strict=True))
        return functional.pad(inside, (0, right, 0, below), mode="replicate") if below or right else inside


def whole(source: Source) -> Pictures:
    """Return all of a source."""
    return source.part(slice(0, source.height), slice(0, source.width))


def _within(wanted: slice, side: int) -> slice:
    """Return the part of an interval that lies in an axis; at least its last pixel."""
    return slice(min(wanted.start, side - 1), min(wanted.stop, side))
