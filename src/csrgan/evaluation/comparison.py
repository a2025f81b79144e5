"""Jobs of a sweep compared: groups that differ in their settings, seeds within a group, paired differences with intervals.

A group is compared with the baseline of those scored on the same photographs and degradations: of the groups whose settings hold
every word of the named baseline the one that differs from it in the fewest settings; where none does, the first of them.
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
from typing import NamedTuple

import numpy as np

from csrgan.evaluation.results import PICTURES, Row

COLLAPSED = -3.0  # dB of mean gain, below which a job has collapsed

Key = tuple[str | float, ...]  # a photograph, its degradation, and which noise seed of them


@dataclass(frozen=True, eq=False)
class Job:
    """One run: the settings it was started with, what became of it, its rows, the learning curve of a score (images, score), the
    means of its diagnostics, what it cost, the folders that hold an S, L and H each, and the units of further factors by name."""

    name: str
    words: tuple[str, ...]
    reason: str = ""
    command: str = ""
    seconds: float = 0.0
    rows: Sequence[Row] = ()
    curve: Sequence[tuple[float, float]] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    pictures: Sequence[Path] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def seed(self) -> str:
        return next((word for word in self.words if word.startswith("seed=")), "")


@dataclass(eq=False)
class Group:
    """Jobs whose settings are the same but for the seed."""

    settings: tuple[str, ...]
    jobs: list[Job] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join(self.settings) or "all settings as they are"

    def value(self, key: str) -> str:
        return next((word.split("=", 1)[1] for word in self.settings if word.startswith(f"{key}=")), "")


def varying(jobs: Sequence[Job]) -> dict[Job, tuple[str, ...]]:
    """The words of each job that not all share. A word may come twice, once for the training and once for the evaluation. A job
    of which nothing could be read has none."""
    known = [Counter(job.words) for job in jobs if job.words or job.rows]
    shared = reduce(and_, known, known[0] if known else Counter())
    found: dict[Job, tuple[str, ...]] = {}
    for job in jobs:
        left, own = shared.copy(), []
        for word in reversed(job.words):
            own += [word] if left[word] < 1 else []
            left[word] -= 1
        found[job] = tuple(reversed(own))
    return found


def grouped(jobs: Sequence[Job]) -> list[Group]:
    """Complete jobs by the settings in which the jobs of the sweep differ, without the seed."""
    groups: dict[tuple[str, ...], Group] = {}
    for job, words in varying(jobs).items():
        settings = tuple(word for word in words if not word.startswith("seed="))
        if job.rows:
            groups.setdefault(settings, Group(settings)).jobs.append(job)
    return list(groups.values())


def alike(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups that were scored on the same photographs and degradations, together."""
    found: dict[frozenset[Key], list[Group]] = {}
    for group in groups:
        found.setdefault(frozenset(key for job in group.jobs for key, _ in _keyed(job)), []).append(group)
    return list(found.values())


def references(groups: Sequence[Group], baseline: str | None) -> dict[Group, Group]:
    """The group that each is compared with. Groups scored on the same photographs and degradations come together."""
    result: dict[Group, Group] = {}
    for together in alike(groups):
        named = [group for group in together if holds(group, baseline)] or together[:1]
        result |= {group: _nearest(group, named) for group in together}
    return result


def _nearest(group: Group, others: Sequence[Group]) -> Group:
    return min(others, key=lambda other: len(set(other.settings) ^ set(group.settings)))


def holds(group: Group, baseline: str | None) -> bool:
    """Whether every word of a named baseline is in the group's settings."""
    return baseline is not None and set(baseline.split()) <= set(group.name.split())


def score(rows: Sequence[Row], column: str) -> float:
    """Mean of a column over the rows that have it; `gain` is that of PSNR over L."""
    values = [value(row, column) for row in rows]
    finite = [each for each in values if math.isfinite(each)]
    return fmean(finite) if finite else math.nan


def mean(group: Group, column: str) -> float:
    """Mean of a score over the jobs of a group; nan where one of them has none."""
    return fmean(score(job.rows, column) for job in group.jobs)


def spread(group: Group, column: str) -> float:
    """Standard deviation of a score over the seeds; nan where there is one."""
    values = [score(job.rows, column) for job in group.jobs]
    return stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else math.nan


def collapsed(group: Group) -> int:
    """How many jobs of a group have a mean gain below COLLAPSED, or nan in a gain."""
    gains = [fmean(value(row, "gain") for row in job.rows) for job in group.jobs]
    return sum(not gain >= COLLAPSED for gain in gains)


class Difference(NamedTuple):
    """A mean difference, the ends of its 95 % interval, and how many pairs it rests on."""

    mean: float
    low: float
    high: float
    pairs: int


def difference(group: Group, baseline: Group, column: str, *, resamples: int = 2000) -> Difference | None:
    """Mean difference of a score to the baseline's with its 95 % bootstrap interval, paired by photograph and degradation, and
    over the seeds that both have.

    Photographs are resampled where there are at least PICTURES, else photograph and degradation pairs, which makes the interval
    too narrow to speak for other photographs. Paired seeds are resampled too, so that the interval speaks for other seeds;
    three are few, and make it too narrow rather than too wide. None where nothing pairs.
    """
    found = [_differences(mine, theirs, column) for mine, theirs in _pairs(group, baseline)]
    keys = sorted(set.intersection(*(set(each) for each in found)), key=str)
    if not keys:
        return None
    values = np.array([[each[key] for key in keys] for each in found])  # seeds x pairs
    images = sorted({str(key[0]) for key in keys})
    units = np.arange(len(keys)) if len(images) < PICTURES else np.array([images.index(str(key[0])) for key in keys])
    drawn = np.random.default_rng(0)
    of_units, of_seeds = (_weights(drawn, count, resamples) for count in (int(units.max()) + 1, len(values)))
    means = np.einsum("rs,sp,rp->r", of_seeds, values, of_units[:, units]) / of_units[:, units].sum(axis=1) / len(values)
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(float(values.mean()), float(low), float(high), len(keys))


def _weights(drawn: np.random.Generator, count: int, resamples: int) -> np.ndarray:
    """How often each of `count` things is drawn, in each resample."""
    return drawn.multinomial(count, np.full(count, 1 / count), size=resamples)


def _pairs(group: Group, baseline: Group) -> list[tuple[list[Job], list[Job]]]:
    """The jobs of either group with the same seed, of all seeds that both have; where they share none, or have one twice, all
    jobs against all."""
    mine, theirs = ({job.seed: job for job in each.jobs} for each in (group, baseline))
    common = [seed for seed in mine if seed in theirs]
    if common and len(mine) == len(group.jobs) and len(theirs) == len(baseline.jobs):
        return [([mine[seed]], [theirs[seed]]) for seed in common]
    return [(group.jobs, baseline.jobs)]


def _differences(mine: Sequence[Job], theirs: Sequence[Job], column: str) -> dict[Key, float]:
    one, other = _paired(mine, column), _paired(theirs, column)
    return {key: one[key] - other[key] for key in one if key in other}


def value(row: Row, column: str) -> float:
    """A number of a row, nan where it has none; `gain` is that of PSNR over L."""
    if column == "gain":
        return value(row, "psnr_restored") - value(row, "psnr_low")
    return float(row.get(column, math.nan))


def _paired(jobs: Sequence[Job], column: str) -> dict[Key, float]:
    """Mean over jobs of a score for each photograph and cell of the grid."""
    values: dict[Key, list[float]] = {}
    for job in jobs:
        for key, row in _keyed(job):
            values.setdefault(key, []).append(value(row, column))
    return {key: fmean(each) for key, each in values.items() if all(map(math.isfinite, each))}


def _keyed(job: Job) -> Iterator[tuple[Key, Row]]:
    """Rows with what they were scored on; the noise seeds of a cell come in order."""
    seen: Counter[Key] = Counter()
    for row in job.rows:
        key = (row["image"], *(round(float(row[name]), 6) for name in ("blur_std", "scale", "noise_std")))
        yield (*key, seen[key]), row
        seen[key] += 1
