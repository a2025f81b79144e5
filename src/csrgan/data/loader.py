"""Feed the sample stream to Lightning so that training can stop and resume at any batch, in any number of processes."""

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

Sample = TypeVar("Sample")
Collated = TypeVar("Collated")  # a batch of samples


class ResumableBatchSampler(Sampler[list[int]]):
    """Batches of the sample indices 0, 1, ... up to the budget, of which each of `world` processes takes its share.

    batch_size: of all processes together. So the batches do not depend on how many processes there are.
    """

    def __init__(self, total: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        self.batch_size, self.share, self.rank, self.start = batch_size, batch_size // world, rank, 0
        self.batches, self.epoch = total // batch_size, 0

    def set_epoch(self, epoch: int) -> None:
        """Continue where the pass before ended. Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        first = self.epoch * self.batches
        for batch in range(max(self.start, first), first + self.batches):
            first_sample = batch * self.batch_size + self.rank * self.share
            yield list(range(first_sample, first_sample + self.share))

    def __len__(self) -> int:
        return self.batches  # also after a restart: Lightning counts the earlier batches


class ResumableLoader(DataLoader[Sample], Generic[Sample, Collated]):
    """A DataLoader that Lightning can stop and restart anywhere: its state is the number of batches handed out.

    waited: seconds that its user waited for batches, except for the first, which took `first` seconds.
    """

    def __init__(
        self,
        dataset: Dataset[Sample],
        span: ResumableBatchSampler,
        *,
        collate_fn: Callable[[list[Sample]], Collated],
        num_workers: int = 0,
    ) -> None:
        collate, persistent = Packing(collate_fn), num_workers > 0
        super().__init__(dataset, batch_sampler=span, collate_fn=collate, num_workers=num_workers, persistent_workers=persistent)
        self.span, self.handed_out, self.waited, self.first = span, 0, 0.0, 0.0

    def __iter__(self) -> Iterator[Collated]:  # type: ignore[override]
        began, first = time.perf_counter(), True
        for batch in _with_plain_errors(_start(super().__iter__)):
            seconds = time.perf_counter() - began
            self.first, self.waited = (seconds, self.waited) if first else (self.first, self.waited + seconds)
            first = False
            self.handed_out += 1
            yield pickle.loads(batch.data) if isinstance(batch, Packed) else batch
            began = time.perf_counter()

    def state_dict(self) -> dict[str, int]:
        return {"handed_out": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.handed_out = self.span.start = state["handed_out"]


class Packed:
    """A batch from a loader process as bytes, sent through a pipe. torch would put each tensor into /dev/shm, which has 64 MB in
    a container, and hang when that is full."""

    def __init__(self, batch: object) -> None:
        stream = BytesIO()
        Packer(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(batch)
        self.data = stream.getvalue()


class Packer(pickle.Pickler):
    """Pickle tensors as arrays, in memory order."""

    def reducer_override(self, value: object) -> tuple[Callable[..., Tensor], tuple[np.ndarray, list[int]]] | NotImplementedType:
        if not isinstance(value, Tensor):
            return NotImplemented
        order = sorted(range(value.ndim), key=value.stride, reverse=True)
        return _unpack, (value.permute(order).numpy(), [order.index(axis) for axis in range(value.ndim)])


def _unpack(array: np.ndarray, order: Sequence[int]) -> Tensor:
    return torch.from_numpy(array).permute(*order)


class Packing(Generic[Sample, Collated]):
    """Collate samples into a batch and, in a loader process, pack it."""

    def __init__(self, collate: Callable[[list[Sample]], Collated]) -> None:
        self.collate = collate

    def __call__(self, samples: list[Sample]) -> Collated | Packed:
        batch = self.collate(samples)
        return Packed(batch) if get_worker_info() else batch


def _start(batches: Callable[[], Iterator[Collated]]) -> Iterator[Collated]:
    """Start the loader processes. Raises UserError where that fails: on Linux their locks need room in /dev/shm."""
    try:
        return batches()
    except OSError as reason:
        raise UserError(
            f"the processes that read photographs cannot be started ({reason.strerror or reason}): make room in /dev/shm, in a"
            " container with docker run --shm-size=1g, or take data.workers=0."
        ) from reason


def _with_plain_errors(batches: Iterator[Collated]) -> Iterator[Collated]:
    """Yield the batches, and raise an error of a loader process without torch's text around it.

    A loader process that is killed while it sends a batch breaks the connection; torch does not explain that.
    """
    try:
        yield from batches
    except UserError as error:
        prefix = f"{UserError.__module__}.{UserError.__qualname__}: "  # the last line of the traceback begins with it
        raise UserError(str(error).rpartition(prefix)[2].strip()) from None
    except (ConnectionError, EOFError) as reason:
        raise RuntimeError("a loader process exited unexpectedly") from reason
