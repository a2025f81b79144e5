"""Hands the stream to Lightning so that it can stop and go on at any batch, in any number of processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader, Sampler


class Span(Sampler[list[int]]):
    """Batches of the sample indices 0, 1, ... up to the budget; of `world` processes, each takes every world-th batch.

    Together the processes see the samples of one process with batches that are `world` times as large.
    """

    def __init__(self, total: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        self.batch_size, self.rank, self.world, self.start = batch_size, rank, world, 0
        self.batches = total // (batch_size * world)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in range(self.start, self.batches):
            first = (batch * self.world + self.rank) * self.batch_size
            yield list(range(first, first + self.batch_size))

    def __len__(self) -> int:
        return self.batches  # also after a restart: Lightning counts the batches done before it


class ResumableLoader(DataLoader[Any]):
    """A DataLoader that Lightning can stop and restart in the middle: its state is the number of batches handed out.

    waited: seconds for which its user stood still, without the first batch, which took `first` seconds.
    """

    def __init__(self, dataset: Any, span: Span, **settings: Any) -> None:
        super().__init__(dataset, batch_sampler=span, **settings)
        self.span, self.handed_out, self.waited, self.first = span, 0, 0.0, 0.0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        began, first = time.perf_counter(), True
        for batch in _told(super().__iter__()):
            took = time.perf_counter() - began
            self.first, self.waited = (took, self.waited) if first else (self.first, self.waited + took)
            first = False
            self.handed_out += 1
            yield batch
            began = time.perf_counter()

    def state_dict(self) -> dict[str, int]:
        return {"handed_out": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.handed_out = self.span.start = state["handed_out"]


def _told(batches: Iterator[Any]) -> Iterator[Any]:
    """A loader process that is killed while it hands a batch over breaks the connection, which torch does not say in words."""
    try:
        yield from batches
    except (ConnectionError, EOFError) as reason:
        raise RuntimeError("a loader process exited unexpectedly") from reason
