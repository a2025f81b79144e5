"""The order of the photographs."""

from __future__ import annotations

from collections import Counter

from csrgan.data.sample_order import SampleOrder


def test_each_photograph_comes_crops_per_image_times_a_round() -> None:
    order = SampleOrder([[0, 1, 2], [3], [4, 5, 6, 7]], window=2, crops_per_image=3, seed=1)
    rounds = [[order[24 * round_ + index] for index in range(24)] for round_ in range(4)]
    assert all(Counter(one) == dict.fromkeys(range(8), 3) for one in rounds)
    assert len(set(map(tuple, rounds))) == 4


def test_samples_are_shuffled_within_a_window_only() -> None:
    groups = [range(10 * k, 10 * k + 10) for k in range(12)]
    order = SampleOrder(groups, window=3, crops_per_image=2, seed=0)
    for window in range(4):
        samples = [order[60 * window + place] for place in range(60)]
        assert len({index // 10 for index in samples}) == 3
        assert len({index // 10 for index in samples[:10]}) > 1


def test_samples_can_be_read_in_any_order() -> None:
    groups = [[0, 1], [2, 3, 4], [5]]
    forward = SampleOrder(groups, window=2, crops_per_image=2, seed=7)
    there = [forward[index] for index in range(60)]
    back = SampleOrder(groups, window=2, crops_per_image=2, seed=7)
    assert [back[index] for index in reversed(range(60))] == there[::-1]


def test_ungrouped_photographs_are_all_shuffled_together() -> None:
    order = SampleOrder([[k] for k in range(100)], window=5, crops_per_image=1, seed=0)
    first = {order[index] for index in range(50)}
    assert len(first) == 50
    assert len({index // 10 for index in first}) == 10
