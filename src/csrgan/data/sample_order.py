"""The photograph that sample i is cut from: a pure function of (seed, i)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


class SampleOrder:
    """Rounds over all photographs, each in a new random order; each photograph comes `crops_per_image` times a round.

    groups: photographs that are cheap to read together, such as those of one shard. They are visited in windows of `window`
    groups, and samples are shuffled within a window. Photographs that are read one by one and once a round gain nothing from
    windows and are all shuffled together.
    """

    def __init__(self, groups: Sequence[Sequence[int]], *, window: int, crops_per_image: int, seed: int) -> None:
        if crops_per_image == 1 and all(len(group) == 1 for group in groups):
            groups = [[photograph for group in groups for photograph in group]]
        self.groups, self.window, self.crops_per_image, self.seed = groups, window, crops_per_image, seed
        self.round_length = crops_per_image * sum(map(len, groups))
        self._round: tuple[int, list[list[int]], list[int]] = (-1, [], [])
        self._shuffled: tuple[tuple[int, int], NDArray[np.int64]] = ((-1, -1), np.empty(0, np.int64))

    def __getitem__(self, index: int) -> int:
        round_, position = divmod(index, self.round_length)
        windows, ends = self._windows(round_)
        chosen = int(np.searchsorted(ends, position, side="right"))
        start = ends[chosen - 1] if chosen else 0
        if self._shuffled[0] != (round_, chosen):
            samples = np.repeat(np.asarray(windows[chosen], np.int64), self.crops_per_image)
            self._shuffled = ((round_, chosen), np.random.default_rng((self.seed, 1, round_, chosen)).permutation(samples))
        return int(self._shuffled[1][position - start])

    def _windows(self, round_: int) -> tuple[list[list[int]], list[int]]:
        """Return the photographs of each window of a round, and where the samples of each window end."""
        if self._round[0] != round_:
            visit = np.random.default_rng((self.seed, 1, round_)).permutation(len(self.groups))
            starts = range(0, len(visit), self.window)
            visits = [visit[start : start + self.window] for start in starts]
            windows = [[photograph for group in visited for photograph in self.groups[group]] for visited in visits]
            self._round = (round_, windows, list(accumulate(self.crops_per_image * len(window) for window in windows)))
        return self._round[1:]
