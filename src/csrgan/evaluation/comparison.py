"""Compare the jobs of a sweep: groups that differ in their settings, seeds within a group, and what each is compared with.

A group is only compared with a group scored on the same photographs and degradations. Its reference is, of those that
have every word of the named baseline, the one that differs from it in the fewest settings; if there is none, the first group.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from pathlib import Path
from statistics import fmean, stdev

from csrgan.evaluation.results import Row

COLLAPSED = -3.0  # dB; a job with a lower mean gain has collapsed

ERROR = "_error"  # ends the name of the error of one predicted parameter

PLAIN = ("baseline", "")  # how a named baseline is called that has no words of its own

Key = tuple[str | float, ...]  # a photograph, its degradation, and the index of its noise seed


@dataclass(frozen=True, eq=False)
class Job:
    """One run.

    words: the overrides it was started with. reason: why it failed; empty: it did not. rows: of its evaluation.
    curve: the learning curve of a score, (images seen, score). clock: the same as (seconds of training, score).
    diagnostics: means over the run. costs: by name.
    pictures: folders with an S, L and H each. units: of further factors of the degradation, by their names. seeded: whether
    another seed would change its scores, as that of a training does, and that of a bicubic enlargement does not. asked: whether the
    last command of its sweep asked for it.
    """

    name: str
    words: tuple[str, ...]
    reason: str = ""
    command: str = ""
    seconds: float = 0.0
    rows: Sequence[Row] = ()
    curve: Sequence[tuple[float, float]] = ()
    clock: Sequence[tuple[float, float]] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    pictures: Sequence[Path] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    seeded: bool = True
    asked: bool = True

    @property
    def seed(self) -> str:
        return next((word for word in self.words if word.startswith("seed=")), "")


def counted(jobs: Sequence[Job]) -> str:
    """Return how many jobs are complete, as `2 of 4 jobs complete`; those that no command asks for any more are counted apart."""
    asked = [job for job in jobs if job.asked]
    done, others = sum(not job.reason for job in asked), [job for job in jobs if not job.asked]
    left = f", and {sum(not job.reason for job in others)} of {len(others)} that the last command did not ask for" if others else ""
    return f"{done} of {len(asked)} {'job' if len(asked) == 1 else 'jobs'} complete{left}"


@dataclass(eq=False)
class Group:
    """Jobs that differ in their seed only. settings: in which they differ from other groups. shared: words of all groups' jobs."""

    settings: tuple[str, ...]
    jobs: list[Job] = field(default_factory=list)
    shared: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.settings) or "all settings as they are"

    @property
    def seeded(self) -> bool:
        return any(job.seeded for job in self.jobs)

    def value(self, key: str) -> str:
        return next((word.split("=", 1)[1] for word in self.settings if word.startswith(f"{key}=")), "")


def varying(jobs: Sequence[Job]) -> dict[Job, tuple[str, ...]]:
    """Return the words of each job that the jobs do not all share. A word may come twice, once for the training and once for the
    evaluation. A job that could not be read has none."""
    readable = [Counter(job.words) for job in jobs if job.words or job.rows]
    shared = reduce(and_, readable, readable[0] if readable else Counter())
    result: dict[Job, tuple[str, ...]] = {}
    for job in jobs:
        left, own = shared.copy(), []
        for word in reversed(job.words):
            own += [word] if left[word] < 1 else []
            left[word] -= 1
        result[job] = tuple(reversed(own))
    return result


def grouped(jobs: Sequence[Job]) -> list[Group]:
    """Group complete jobs by the settings in which the jobs of the sweep differ, without the seed."""
    groups: dict[tuple[str, ...], Group] = {}
    different = varying(jobs)
    in_some = {word for words in different.values() for word in words}
    for job, words in different.items():
        settings = tuple(word for word in words if not word.startswith("seed="))
        if job.rows:
            shared = tuple(word for word in job.words if word not in in_some)
            groups.setdefault(settings, Group(settings, shared=shared)).jobs.append(job)
    return list(groups.values())


def comparable(groups: Sequence[Group]) -> list[list[Group]]:
    """Return sets of groups that were scored on the same photographs and degradations."""
    sets: dict[frozenset[Key], list[Group]] = {}
    for group in groups:
        sets.setdefault(frozenset(key for job in group.jobs for key, _ in keyed(job)), []).append(group)
    return list(sets.values())


def references(groups: Sequence[Group], baseline: str | None) -> dict[Group, Group]:
    """Return the reference of each group; groups scored on the same photographs and degradations follow each other, by the numbers
    in their settings. The first group, if it is the reference for want of a named one, stays first."""
    result: dict[Group, Group] = {}
    for same in comparable(groups):
        named = [group for group in same if holds(group, baseline)]
        ordered = _by_numbers(same) if named else same[:1] + _by_numbers(same[1:])
        result |= {group: _nearest(group, named or same[:1]) for group in ordered}
    return result


def _by_numbers(groups: Sequence[Group]) -> list[Group]:
    """Sort groups by the values of their settings, if they differ in the same keys and all values are numbers."""
    keys = {tuple(word.partition("=")[0] for word in group.settings) for group in groups}
    try:
        values = {group: [float(word.partition("=")[2]) for word in group.settings] for group in groups}
    except ValueError:
        return list(groups)
    return sorted(groups, key=values.__getitem__) if len(keys) == 1 else list(groups)


def _nearest(group: Group, others: Sequence[Group]) -> Group:
    return min(others, key=lambda other: len(set(other.settings) ^ set(group.settings)))


def holds(group: Group, baseline: str | None) -> bool:
    """Return whether the group has every word of a named baseline; a word that no job lacks counts too. PLAIN names the group that
    has no words of its own."""
    if baseline in PLAIN:
        return not group.settings
    return baseline is not None and set(baseline.split()) <= set(f"{group.name} {' '.join(group.shared)}".split())


def score(rows: Sequence[Row], column: str) -> float:
    """Return the mean of a column over the rows that have it; `gain` is the PSNR of S minus that of L."""
    values = [value(row, column) for row in rows]
    finite = [number for number in values if math.isfinite(number)]
    return fmean(finite) if finite else math.nan


def mean(group: Group, column: str) -> float:
    """Return the mean of a score over the jobs of a group; nan if a job lacks it."""
    return fmean(score(job.rows, column) for job in group.jobs)


def spread(group: Group, column: str) -> float:
    """Return the standard deviation of a score over the seeds; nan for a single seed."""
    values = [score(job.rows, column) for job in group.jobs]
    return stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else math.nan


def collapsed(group: Group) -> int:
    """Count the jobs of a group with a mean gain below COLLAPSED, or with nan in a gain."""
    gains = [fmean(value(row, "gain") for row in job.rows) for job in group.jobs]
    return sum(not gain >= COLLAPSED for gain in gains)


def value(row: Row, column: str) -> float:
    """Return a number of a row, nan if it lacks the column. `gain` is the PSNR of S minus that of L, and NAME_error the distance of
    a predicted parameter from the true one, in its own unit."""
    if column == "gain":
        return value(row, "psnr_restored") - value(row, "psnr_low")
    name = column.removesuffix(ERROR)
    if column not in row and name != column:
        return abs(value(row, f"{name}_predicted") - value(row, name))
    return float(row.get(column, math.nan))


def keyed(job: Job) -> Iterator[tuple[Key, Row]]:
    """Yield each row with the key of what it was scored on; noise seeds of a cell are numbered in order."""
    seen: Counter[Key] = Counter()
    for row in job.rows:
        theta = (float(row[name]) for name in ("blur_std", "scale", "noise_std"))
        key = (row["image"], *(-1.0 if math.isnan(value) else round(value, 6) for value in theta))  # -1: unknown
        yield (*key, seen[key]), row
        seen[key] += 1
