"""Paired comparison of jobs against SciPy's bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from csrgan.evaluation.comparison import Group, Job, difference, grouped, score, spread


def rows(shift: float, images: int, seed: int = 0, cells: int = 4) -> list[dict]:
    drawn = np.random.default_rng(seed)
    return [
        {
            "image": f"{image}.png",
            "blur_std": float(cell),
            "scale": 1.5,
            "noise_std": 0.01,
            "psnr_low": 20.0,
            "psnr_restored": 21.0 + shift * (1 + 0.5 * math.sin(image)) + 0.1 * drawn.standard_normal(),
            "ssim_restored": 0.7,
        }
        for image in range(images)
        for cell in range(cells)
    ]


def group(*jobs: list[dict]) -> Group:
    return Group(("a=1",), [Job(str(place), ("a=1",), rows=each) for place, each in enumerate(jobs)])


def test_the_interval_over_photographs_equals_scipys() -> None:
    one, other = group(rows(0.5, 30, seed=1)), group(rows(0.0, 30, seed=2))
    found = difference(one, other, "gain", resamples=20_000)
    means = np.reshape([score([r], "gain") for r in one.jobs[0].rows], (30, 4)).mean(axis=1)
    means -= np.reshape([score([r], "gain") for r in other.jobs[0].rows], (30, 4)).mean(axis=1)
    expected = bootstrap((means,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert found.mean == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert found.pairs == 120


def test_pairing_takes_out_what_the_jobs_have_in_common() -> None:
    """The same rows but for a constant: the difference is that constant, with no spread."""
    base = rows(1.0, 8)
    more = [row | {"psnr_restored": row["psnr_restored"] + 0.25} for row in base]
    found = difference(group(more), group(base), "gain")
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_other_degradations_do_not_pair() -> None:
    shifted = [row | {"blur_std": row["blur_std"] + 0.5} for row in rows(1.0, 3)]
    assert difference(group(shifted), group(rows(1.0, 3)), "gain") is None


def test_noise_seeds_of_a_cell_are_pairs_of_their_own() -> None:
    twice = rows(0.0, 2, seed=1, cells=1) + rows(0.0, 2, seed=2, cells=1)
    assert difference(group(twice), group(twice), "gain").pairs == 4


def test_seeds_are_gathered_and_failed_jobs_left_out() -> None:
    words = ("trainer=smoke", "a=1")
    jobs = [
        Job("0", (*words, "b=2", "seed=1"), rows=rows(0.0, 2)),
        Job("1", (*words, "b=2", "seed=2"), rows=rows(0.4, 2)),
        Job("2", (*words, "b=3", "seed=1"), reason="ended by SIGKILL"),
        Job("3", (*words, "b=4", "seed=1"), rows=rows(0.0, 2)),
    ]
    found = grouped(jobs)
    assert [each.settings for each in found] == [("b=2",), ("b=4",)]
    assert len(found[0].jobs) == 2
    assert spread(found[0], "gain") > 0.1
    assert math.isnan(spread(found[1], "gain"))
    assert found[0].value("b") == "2"
    assert grouped([]) == []
