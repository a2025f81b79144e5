"""Jobs in groups, and the group that each is compared with."""

from __future__ import annotations

import math

import pytest
from sweep import drawn_rows as rows
from sweep import group

from csrgan.evaluation.comparison import Group, Job, collapsed, grouped, holds, mean, references, spread
from csrgan.evaluation.intervals import difference, estimate


def test_seeds_form_a_group_and_failed_jobs_are_left_out() -> None:
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


def test_words_of_training_and_evaluation_are_distinguished() -> None:
    """The words of an evaluation follow those of the training; here one word is both."""
    jobs = [Job(high, (f"high={high}", "seed=1", "high=4"), rows=rows(0.0, 1)) for high in ("4", "16")]
    groups = grouped(jobs)
    assert [each.name for each in groups] == ["high=4", "high=16"]
    assert [holds(each, "high=4") for each in groups] == [True, False]


def test_a_word_that_all_jobs_share_may_be_among_those_of_the_baseline() -> None:
    jobs = [Job(weight, (f"weight={weight}", "high=50", f"seed={seed}"), rows=rows(0.0, 1)) for weight in "01" for seed in "12"]
    groups = grouped(jobs)
    assert compared(groups, "weight=1 high=50") == [("weight=0", "weight=1"), ("weight=1", "weight=1")]
    assert [holds(each, "high=4 weight=1") for each in groups] == [False, False]
    assert not any(holds(each, "seed=1") for each in groups)


def named(*words: str, blur: float = 0.0) -> Group:
    """A group that was scored on a grid of its own where the blur differs."""
    return Group(words, [Job("0", words, rows=[row | {"blur_std": row["blur_std"] + blur} for row in rows(0.0, 1)])])


def compared(groups: list[Group], baseline: str | None) -> list[tuple[str, str]]:
    return [(group.name, other.name) for group, other in references(groups, baseline).items()]


@pytest.mark.parametrize("baseline", [None, "weight=0", "unknown=1"])
def test_a_baseline_for_each_set_of_degradations(baseline: str | None) -> None:
    """Groups of a set come together; a baseline that no group of a set holds is the first of the set."""
    groups = [named(f"weight={weight}", f"high={high}", blur=high) for weight in (0, 1) for high in (4, 16)]
    assert compared(groups, baseline) == [
        ("weight=0 high=4", "weight=0 high=4"),
        ("weight=1 high=4", "weight=0 high=4"),
        ("weight=0 high=16", "weight=0 high=16"),
        ("weight=1 high=16", "weight=0 high=16"),
    ]


def test_a_baseline_is_the_one_that_differs_in_the_fewest_settings() -> None:
    groups = [named(f"head={head}", f"weight={weight}") for weight in (1, 0) for head in "ab"] + [named("head=c", "weight=1")]
    assert dict(compared(groups, "weight=0")) == {
        "head=a weight=1": "head=a weight=0",
        "head=b weight=1": "head=b weight=0",
        "head=a weight=0": "head=a weight=0",
        "head=b weight=0": "head=b weight=0",
        "head=c weight=1": "head=a weight=0",  # no such head at weight 0: the first of equals
    }
    assert set(dict(compared(groups, "weight=0 head=b")).values()) == {"head=b weight=0"}


def test_groups_stand_by_their_numbers() -> None:
    """As after a sweep was widened. A first group that is the reference only because it is the first stays so."""

    def names(baseline: str | None, *values: str) -> list[str]:
        groups = [Group((f"a={value}",), [Job(value, (f"a={value}",), rows=rows(0.0, 1))]) for value in values]
        return [each.value("a") for each in references(groups, baseline)]

    assert names(None, "0", "10", "9", "1e-1") == ["0", "1e-1", "9", "10"]
    assert names("a=10", "9", "10", "0.5") == ["0.5", "9", "10"]
    assert names(None, "9", "10", "0.5") == ["9", "0.5", "10"]
    assert names(None, "1", "mse", "0") == ["1", "mse", "0"]


def test_words_of_a_baseline_are_whole_words_in_any_order() -> None:
    group = named("weight=0.1", "head=a")
    assert holds(group, "head=a weight=0.1")
    assert not holds(group, "weight=0")
    assert not holds(group, None)
    assert holds(named(), "all settings as they are")


def test_a_job_collapses_by_its_mean_or_by_a_nan() -> None:
    """The mean of a group with a job that has no value is no number, and no pair is made of it."""
    low = [row | {"psnr_restored": 16.9} for row in rows(0.0, 2)]
    broken = [*rows(0.0, 2)[1:], rows(0.0, 2)[0] | {"psnr_restored": math.nan}]
    one_bad = [low[0], *rows(0.0, 2)[1:]]
    assert [collapsed(group(each)) for each in (low, broken, one_bad)] == [1, 1, 0]
    lost = [row | {"psnr_restored": math.nan} for row in low]
    assert math.isnan(mean(group(rows(0.0, 2), lost), "gain"))
    assert math.isnan(spread(group(rows(0.0, 2), lost), "gain"))
    assert difference(group(rows(0.0, 2), lost), group(rows(0.0, 2)), "gain") is None
    assert estimate(group(rows(0.0, 2), lost), "gain") is None
