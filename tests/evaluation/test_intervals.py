"""Intervals of means and of paired differences, against SciPy's bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap
from sweep import drawn_rows as rows
from sweep import group

from csrgan.evaluation.comparison import Group, Job, mean, score
from csrgan.evaluation.intervals import changed_by_seed, difference, estimate


def test_the_interval_over_photographs_equals_scipys() -> None:
    one, other = group(rows(0.5, 30, seed=1)), group(rows(0.0, 30, seed=2))
    found = difference(one, other, "gain", resamples=20_000)
    means = np.reshape([score([r], "gain") for r in one.jobs[0].rows], (30, 4)).mean(axis=1)
    means -= np.reshape([score([r], "gain") for r in other.jobs[0].rows], (30, 4)).mean(axis=1)
    expected = bootstrap((means,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert found.mean == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert found.pairs == 120


def test_pairing_removes_what_the_jobs_have_in_common() -> None:
    """The same rows but for a constant: the difference is that constant, with no spread."""
    base = rows(1.0, 8)
    more = [row | {"psnr_restored": row["psnr_restored"] + 0.25} for row in base]
    found = difference(group(more), group(base), "gain")
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def seeded(*shifts: float) -> Group:
    """A job a seed, whose rows are the same but for a constant."""
    base = rows(1.0, 8)
    each = [[row | {"psnr_restored": row["psnr_restored"] + shift} for row in base] for shift in shifts]
    return Group(("a=1",), [Job(str(k), ("a=1", f"seed={k}"), rows=shifted) for k, shifted in enumerate(each)])


def test_the_interval_covers_other_seeds() -> None:
    """Where the photographs agree, it is SciPy's over the differences of the seeds; what a seed does to both is taken out."""
    mine, other = (0.4, 0.1, -0.3, 0.2, 0.0), (0.1, 0.2, 0.1, -0.1, 0.1)
    found = difference(seeded(*mine), seeded(*other), "gain", resamples=20_000)
    each = np.subtract(mine, other)
    expected = bootstrap((each,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert found.mean == pytest.approx(each.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    common = difference(seeded(0.5, 0.1, 0.3), seeded(0.4, 0.0, 0.2), "gain")
    assert (common.low, common.high) == pytest.approx((0.1, 0.1))
    some = difference(seeded(0.5, 0.1, 0.3), seeded(0.2, 0.1), "gain")  # the first two seeds
    assert (some.mean, some.low, some.high) == pytest.approx((0.15, 0.0, 0.3))


def test_other_degradations_do_not_pair() -> None:
    shifted = [row | {"blur_std": row["blur_std"] + 0.5} for row in rows(1.0, 3)]
    assert difference(group(shifted), group(rows(1.0, 3)), "gain") is None


def test_noise_seeds_of_a_cell_are_pairs_of_their_own() -> None:
    twice = rows(0.0, 2, seed=1, cells=1) + rows(0.0, 2, seed=2, cells=1)
    assert difference(group(twice), group(twice), "gain").pairs == 4


def test_a_column_of_some_runs_is_compared_between_those() -> None:
    with_it = [row | {"ciede2000_restored": 3.0} for row in rows(0.0, 3)]
    assert score([*with_it, *rows(0.0, 1)], "ciede2000_restored") == 3.0
    assert difference(group(with_it), group(rows(0.0, 3)), "ciede2000_restored") is None


def test_the_interval_of_a_mean_equals_scipys() -> None:
    """Over photographs with all their cells; with several seeds that agree on the photographs, over the seeds."""
    one = group(rows(0.5, 30, seed=1))
    found = estimate(one, "gain", resamples=20_000)
    means = np.reshape([score([row], "gain") for row in one.jobs[0].rows], (30, 4)).mean(axis=1)
    expected = bootstrap((means,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert found.mean == pytest.approx(mean(one, "gain"))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert (found.seeds, found.pictures) == (1, 30)
    shifts = (0.4, 0.1, -0.3, 0.2, 0.0)
    flat = [[row | {"psnr_restored": 21.0 + shift} for row in rows(0.0, 6)] for shift in shifts]
    found = estimate(group(*flat), "gain", resamples=20_000)
    expected = bootstrap((np.add(1, shifts),), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert (found.seeds, found.pictures) == (5, 6)


def test_a_row_without_the_score_is_left_out_of_its_job_alone() -> None:
    """As the mean of the table leaves it out."""
    lacking = [row | {"psnr_restored": float("inf")} if index == 0 else row for index, row in enumerate(rows(0.5, 8))]
    both = group(lacking, rows(0.0, 8, seed=2))
    found = estimate(both, "gain")
    assert found.mean == pytest.approx(mean(both, "gain"))
    assert found.low < found.mean < found.high


def test_seeds_that_all_agree_tell_nothing_about_chance() -> None:
    """Of a system without a training, every seed gives the same scores."""
    trained, other = seeded(0.0, 0.1, 0.2), seeded(0.0, 0.0, 0.0)
    assert changed_by_seed([trained, other], "gain") == pytest.approx(1.96 * np.sqrt(2) * 0.1)
    assert np.isnan(changed_by_seed([other], "gain"))


def test_a_difference_says_how_many_seeds_and_photographs_stand_behind_it() -> None:
    found = difference(seeded(0.5, 0.1, 0.3), seeded(0.2, 0.1), "gain")
    assert (found.seeds, found.pictures, found.pairs) == (2, 8, 32)


@pytest.mark.parametrize(
    ("shifts", "seed"),
    [
        ((-0.003, -0.028, -0.313), "seed=2"),  # the others are below what is relevant
        ((0.3, 0.1, -0.2), "seed=0"),  # the others have the opposite sign
        ((0.3, 0.2, 0.1), None),
        ((0.3,), None),
    ],
)
def test_a_difference_names_the_seed_that_makes_it(shifts: tuple[float, ...], seed: str | None) -> None:
    found = difference(seeded(*shifts), seeded(*(0.0 for _ in shifts)), "gain")._replace(relevant=0.05)
    assert found.decisive == seed
    assert [value for _, value in found.by_seed] == pytest.approx(list(shifts) if len(shifts) > 1 else [])
