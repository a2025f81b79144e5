"""Which photograph sample i is cut from: a pure function of (seed, i)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


class SampleOrder:
    """Rounds over all photographs, each in an order drawn anew; every photograph comes `crops_per_image` times a round.

    groups: photographs that are cheap to read together, such as those of one shard. They are visited in windows of `window`
    groups at a time, and the samples are mixed within a window. Photographs that are read one by one and once a round gain
    nothing by that, and are mixed as a whole.
    """

    def __init__(self, groups: Sequence[Sequence[int]], *, window: int, crops_per_image: int, seed: int) -> None:
        if crops_per_image == 1 and all(len(group) == 1 for group in groups):
            groups = [[one for group in groups for one in group]]
        self.groups, self.window, self.crops_per_image, self.seed = groups, window, crops_per_image, seed
        self.round_length = crops_per_image * sum(map(len, groups))
        self._round: tuple[int, list[list[int]], list[int]] = (-1, [], [])
        self._mixed: tuple[tuple[int, int], NDArray[np.int64]] = ((-1, -1), np.empty(0, np.int64))

    def __getitem__(self, index: int) -> int:
        round_, place = divmod(index, self.round_length)
        windows, ends = self._windows(round_)
        which = int(np.searchsorted(ends, place, side="right"))
        start = ends[which - 1] if which else 0
        if self._mixed[0] != (round_, which):
            samples = np.repeat(np.asarray(windows[which], np.int64), self.crops_per_image)
            self._mixed = ((round_, which), np.random.default_rng((self.seed, 1, round_, which)).permutation(samples))
        return int(self._mixed[1][place - start])

    def _windows(self, round_: int) -> tuple[list[list[int]], list[int]]:
        """The photographs of each window of a round, and where its samples end."""
        if self._round[0] != round_:
            visit = np.random.default_rng((self.seed, 1, round_)).permutation(len(self.groups))
            starts = range(0, len(visit), self.window)
            windows = [[one for group in visit[start : start + self.window] for one in self.groups[group]] for start in starts]
            self._round = (round_, windows, list(accumulate(self.crops_per_image * len(window) for window in windows)))
        return self._round[1:]
