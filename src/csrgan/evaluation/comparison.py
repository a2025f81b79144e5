"""Jobs of a sweep compared: groups that differ in their settings, seeds within a group, paired differences with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np

from csrgan.evaluation.results import Row

PICTURES = 5  # photographs from which on it is they that are resampled


@dataclass(frozen=True)
class Job:
    """One run: the settings it was started with, what became of it, its rows and the learning curve of the gain (images, dB)."""

    name: str
    words: tuple[str, ...]
    reason: str = ""
    command: str = ""
    seconds: float = 0.0
    rows: Sequence[Row] = ()
    curve: Sequence[tuple[float, float]] = ()


@dataclass
class Group:
    """Jobs whose settings are the same but for the seed."""

    settings: tuple[str, ...]
    jobs: list[Job] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join(self.settings) or "all settings as they are"

    def value(self, key: str) -> str:
        return next((word.split("=", 1)[1] for word in self.settings if word.startswith(f"{key}=")), "")


def grouped(jobs: Sequence[Job]) -> list[Group]:
    """Complete jobs by the settings in which the jobs of the sweep differ, without the seed."""
    shared = set.intersection(*(set(job.words) for job in jobs)) if len(jobs) > 1 else set(jobs[0].words if jobs else ())
    groups: dict[tuple[str, ...], Group] = {}
    for job in jobs:
        settings = tuple(word for word in job.words if word not in shared and not word.startswith("seed="))
        if job.rows:
            groups.setdefault(settings, Group(settings)).jobs.append(job)
    return list(groups.values())


def score(rows: Sequence[Row], column: str) -> float:
    """Mean of a column over the rows that have it; `gain` is that of PSNR over L."""
    values = [_value(row, column) for row in rows]
    finite = [value for value in values if math.isfinite(value)]
    return fmean(finite) if finite else math.nan


def spread(group: Group, column: str) -> float:
    """Standard deviation of a score over the seeds; nan where there is one."""
    values = [score(job.rows, column) for job in group.jobs]
    return stdev(values) if len(values) > 1 else math.nan


class Difference(NamedTuple):
    """A mean difference, the ends of its 95 % interval, and how many pairs it rests on."""

    mean: float
    low: float
    high: float
    pairs: int


def difference(group: Group, baseline: Group, column: str, *, resamples: int = 2000) -> Difference | None:
    """Mean difference of a score to the baseline's with its 95 % bootstrap interval, paired by photograph and degradation.

    Each pair is the mean over seeds. Photographs are resampled where there are at least PICTURES, else photograph and
    degradation pairs, which makes the interval too narrow to speak for other photographs. None where nothing pairs.
    """
    mine, theirs = _paired(group, column), _paired(baseline, column)
    keys = [key for key in mine if key in theirs]
    if not keys:
        return None
    differences = {key: mine[key] - theirs[key] for key in keys}
    images = sorted({key[0] for key in keys})
    units = [[differences[key]] for key in keys]
    if len(images) >= PICTURES:
        units = [[differences[key] for key in keys if key[0] == image] for image in images]
    sums, counts = np.array([sum(unit) for unit in units]), np.array([len(unit) for unit in units])
    drawn = np.random.default_rng(0).integers(len(units), size=(resamples, len(units)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.025, 0.975])
    return Difference(fmean(differences.values()), float(low), float(high), len(keys))


def _paired(group: Group, column: str) -> dict[tuple[Any, ...], float]:
    """Mean over seeds of a score for each photograph and cell of the grid."""
    values: dict[tuple[Any, ...], list[float]] = {}
    for job in group.jobs:
        seen: Counter[tuple[Any, ...]] = Counter()
        for row in job.rows:
            key = (row["image"], *(round(float(row[name]), 6) for name in ("blur_std", "scale", "noise_std")))
            values.setdefault((*key, seen[key]), []).append(_value(row, column))  # the noise seeds of a cell come in order
            seen[key] += 1
    return {key: fmean(each) for key, each in values.items() if all(map(math.isfinite, each))}


def _value(row: Row, column: str) -> float:
    if column == "gain":
        return float(row["psnr_restored"]) - float(row["psnr_low"])
    return float(row[column])
