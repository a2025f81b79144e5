"""Hands the stream to Lightning so that it can stop and go on at any batch, in any number of processes."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from types import NotImplementedType
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from csrgan.errors import UserError

Sample = TypeVar("Sample")  # of a data set
Made = TypeVar("Made")  # of several of them: a batch


class ResumableBatchSampler(Sampler[list[int]]):
    """Batches of the sample indices 0, 1, ... up to the budget; of `world` processes, each takes every world-th batch.

    Together the processes see the samples of one process with batches that are `world` times as large.
    """

    def __init__(self, total: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        self.batch_size, self.rank, self.world, self.start = batch_size, rank, world, 0
        self.batches, self.epoch = total // (batch_size * world), 0

    def set_epoch(self, epoch: int) -> None:
        """Each pass goes on where the one before ended: Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        first = self.epoch * self.batches
        for batch in range(max(self.start, first), first + self.batches):
            first = (batch * self.world + self.rank) * self.batch_size
            yield list(range(first, first + self.batch_size))

    def __len__(self) -> int:
        return self.batches  # also after a restart: Lightning counts the batches done before it


class ResumableLoader(DataLoader[Sample], Generic[Sample, Made]):
    """A DataLoader that Lightning can stop and restart in the middle: its state is the number of batches handed out.

    waited: seconds for which its user stood still, without the first batch, which took `first` seconds.
    """

    def __init__(
        self,
        dataset: Dataset[Sample],
        span: ResumableBatchSampler,
        *,
        collate_fn: Callable[[list[Sample]], Made],
        num_workers: int = 0,
    ) -> None:
        collate, stay = Packing(collate_fn), num_workers > 0
        super().__init__(dataset, batch_sampler=span, collate_fn=collate, num_workers=num_workers, persistent_workers=stay)
        self.span, self.handed_out, self.waited, self.first = span, 0, 0.0, 0.0

    def __iter__(self) -> Iterator[Made]:  # type: ignore[override]
        began, first = time.perf_counter(), True
        for batch in _told(_started(super().__iter__)):
            took = time.perf_counter() - began
            self.first, self.waited = (took, self.waited) if first else (self.first, self.waited + took)
            first = False
            self.handed_out += 1
            yield pickle.loads(batch.data) if isinstance(batch, Packed) else batch
            began = time.perf_counter()

    def state_dict(self) -> dict[str, int]:
        return {"handed_out": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.handed_out = self.span.start = state["handed_out"]


class Packed:
    """A batch on its way from a loader process: as bytes, which a pipe carries. torch would put each tensor into /dev/shm, of which
    a container has 64 MB, and wait for ever where that is full."""

    def __init__(self, batch: object) -> None:
        stream = BytesIO()
        Packer(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(batch)
        self.data = stream.getvalue()


class Packer(pickle.Pickler):
    """Pickles tensors as arrays, in the order in which they lie in memory."""

    def reducer_override(self, thing: object) -> tuple[Callable[..., Tensor], tuple[np.ndarray, list[int]]] | NotImplementedType:
        if not isinstance(thing, Tensor):
            return NotImplemented
        order = sorted(range(thing.ndim), key=thing.stride, reverse=True)
        return _unpacked, (thing.permute(order).numpy(), [order.index(axis) for axis in range(thing.ndim)])


def _unpacked(array: np.ndarray, order: Sequence[int]) -> Tensor:
    return torch.from_numpy(array).permute(*order)


class Packing(Generic[Sample, Made]):
    """Makes a batch of samples and, in a loader process, packs it."""

    def __init__(self, collate: Callable[[list[Sample]], Made]) -> None:
        self.collate = collate

    def __call__(self, samples: list[Sample]) -> Made | Packed:
        batch = self.collate(samples)
        return Packed(batch) if get_worker_info() else batch


def _started(batches: Callable[[], Iterator[Made]]) -> Iterator[Made]:
    """Start the loader processes, whose locks lie in /dev/shm on Linux. Raises UserError where they cannot be had."""
    try:
        return batches()
    except OSError as reason:
        raise UserError(
            f"the processes that read photographs cannot be started ({reason.strerror or reason}): make room in /dev/shm, for a"
            " container by docker run --shm-size=1g, or take data.workers=0."
        ) from reason


def _told(batches: Iterator[Made]) -> Iterator[Made]:
    """The batches, without torch's words around an error of a loader process.

    A loader process that is killed while it hands a batch over breaks the connection, which torch does not say in words.
    """
    try:
        yield from batches
    except UserError as fault:
        name = f"{UserError.__module__}.{UserError.__qualname__}: "  # with which its traceback in that process ends
        raise UserError(str(fault).rpartition(name)[2].strip()) from None
    except (ConnectionError, EOFError) as reason:
        raise RuntimeError("a loader process exited unexpectedly") from reason
