"""Batches that can stop, go on and be shared."""

from __future__ import annotations

import time

from torch.utils.data import Dataset

from csrgan.data.loader import ResumableLoader, Span


class Slow(Dataset[int]):
    """The first sample takes longest, as it does where processes must start."""

    def __getitem__(self, index: int) -> int:
        time.sleep(0.02 if index else 0.3)
        return index


def test_waiting_is_counted_apart_from_that_for_the_first_batch() -> None:
    loader = ResumableLoader(Slow(), Span(4, 1))
    for _ in loader:
        time.sleep(0.1)  # a training step
    assert loader.first >= 0.3
    assert 0.06 <= loader.waited < 0.2


def test_processes_share_the_batches_and_each_goes_on_where_it_was() -> None:
    spans = [Span(25, 2, rank, 3) for rank in range(3)]
    assert [len(span) for span in spans] == [4, 4, 4]
    batches = [list(span) for span in spans]
    assert [index for step in zip(*batches, strict=True) for batch in step for index in batch] == list(range(24))
    spans[1].start = 3
    assert list(spans[1]) == [[20, 21]]
