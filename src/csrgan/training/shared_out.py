"""An evaluation that several processes share: each takes every k-th picture, and all get the rows of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard, TypeVar

from torch.utils.data import DataLoader, DistributedSampler

from csrgan.training import collectives

Item = TypeVar("Item")


def number(loader: object, index: int) -> int | None:
    """Return the number in the whole set of the picture that is `index` in this process; None for one that another has too."""
    if not _is_shared(loader):
        return index
    whole = index * collectives.processes() + collectives.rank()
    return whole if whole < _size(loader) else None


def count(loader: object, own: int) -> int:
    """Return the number of pictures in the whole set. own: of this process."""
    return _size(loader) if _is_shared(loader) else own


def collected(items: Sequence[Item], loader: object) -> list[Item]:
    """Return what all processes have made of their pictures, in the order of the set. items: those of this process."""
    if not _is_shared(loader):
        return list(items)
    rounds = zip(*collectives.gathered(list(items)), strict=True)
    # The last round begins again with the first pictures, where the set cannot be shared evenly.
    return [item for each in rounds for item in each][: _size(loader)]


def _size(loader: DataLoader[Any]) -> int:
    return len(loader.dataset)  # type: ignore[arg-type]


def _is_shared(loader: object) -> TypeGuard[DataLoader[Any]]:
    """Return whether each process gets its own part of the loader, see `Photographs.val_dataloader`."""
    return isinstance(loader, DataLoader) and isinstance(loader.sampler, DistributedSampler)
