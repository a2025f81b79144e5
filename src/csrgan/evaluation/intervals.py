"""95 % intervals of scores by a bootstrap over photographs and seeds: of a group's mean, and of its difference to another group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

import numpy as np

from csrgan.evaluation.comparison import Group, Job, Key, keyed, spread, value
from csrgan.evaluation.results import PICTURES

BOUNDS = (0.025, 0.975)


class Mean(NamedTuple):
    """A mean, the bounds of its 95 % interval, and how many seeds and photographs stand behind it."""

    mean: float
    low: float
    high: float
    seeds: int
    pictures: int


class Difference(NamedTuple):
    """A mean difference, the bounds of its 95 % interval, the number of pairs, of seeds, and of photographs.

    by_chance: what another seed would change a difference of single seeds by, see `changed_by_seed`. relevant: the least difference
    that is better or worse. by_seed: the mean difference of each seed, if they are paired by seed.
    """

    mean: float
    low: float
    high: float
    pairs: int
    seeds: int = 0
    pictures: int = 0
    by_chance: float = 0.0
    relevant: float = 0.0
    by_seed: tuple[tuple[str, float], ...] = ()

    @property
    def decisive(self) -> str | None:
        """The seed without which the mean difference would not be relevant or would have the other sign; None if there is none."""
        values = dict(self.by_seed)
        for seed in values if len(values) > 1 else ():
            rest = fmean(value for other, value in values.items() if other != seed)
            if abs(rest) < self.relevant or rest * self.mean < 0:
                return seed
        return None


def estimate(group: Group, column: str, *, resamples: int = 2000) -> Mean | None:
    """Return the mean of a score over the jobs of a group with its 95 % bootstrap interval (see `difference`); None if a job has no
    value of it. A job's mean is over the rows that have the score."""
    scores = [_paired([job], column) for job in group.jobs]
    if not all(scores):
        return None
    keys = sorted(set().union(*scores), key=str)
    values = np.array([[of_job.get(key, math.nan) for key in keys] for of_job in scores])
    return Mean(
        fmean(fmean(of_job.values()) for of_job in scores), *_bounds(values, keys, resamples), len(group.jobs), len(_images(keys))
    )


def difference(group: Group, baseline: Group, column: str, *, resamples: int = 2000) -> Difference | None:
    """Return the mean difference of a score to the baseline's with its 95 % bootstrap interval, paired by photograph and
    degradation, over the seeds that both have; None if nothing pairs.

    The bootstrap resamples photographs if there are at least PICTURES; otherwise it resamples pairs of photograph and degradation,
    and the interval is too narrow to hold for other photographs. It resamples paired seeds too, so that the interval holds for
    other seeds; with as few as three it is too narrow rather than too wide.
    """
    pairs = _pairs(group, baseline)
    by_seed = [_differences(mine, theirs, column) for mine, theirs in pairs]
    keys = sorted(set.intersection(*map(set, by_seed)), key=str)
    if not keys:
        return None
    values = np.array([[differences[key] for key in keys] for differences in by_seed])  # seeds x pairs
    seeds = len(pairs) if len(pairs) > 1 else min(map(len, pairs[0]))
    found = Difference(float(values.mean()), *_bounds(values, keys, resamples), len(keys), seeds, len(_images(keys)))
    if len(pairs) == 1:
        return found
    return found._replace(by_seed=tuple((mine[0].seed, float(row.mean())) for (mine, _), row in zip(pairs, values, strict=True)))


def changed_by_seed(groups: Sequence[Group], column: str) -> float:
    """Return what a difference of two single seeds exceeds by chance in 5 % of cases: 1.96 sqrt(2) times the deviation over seeds,
    pooled over the groups that have several; nan if none has. Groups whose seeds all agree, as without a training, tell nothing."""
    squares = [(spread(group, column) ** 2, len(group.jobs) - 1) for group in groups]
    known = [(square, degrees) for square, degrees in squares if math.isfinite(square) and square > 0]
    if not known:
        return math.nan
    return 1.96 * math.sqrt(2 * sum(square * degrees for square, degrees in known) / sum(degrees for _, degrees in known))


def _bounds(values: np.ndarray, keys: Sequence[Key], resamples: int) -> tuple[float, float]:
    """Return the bounds of the 95 % interval of the mean. values: seeds x keys; nan where there is none."""
    images = {image: index for index, image in enumerate(_images(keys))}
    few = len(images) < PICTURES
    units = np.arange(len(keys)) if few else np.array([images[str(key[0])] for key in keys])
    members = units == np.arange(int(units.max()) + 1)[:, None]  # units x keys
    of_units, of_seeds = _weights(len(members), len(values), resamples)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):  # a resample may hold no value of a seed
        of_jobs = (of_units @ (members @ np.where(known, values, 0.0).T)) / (of_units @ (members.astype(float) @ known.T))
    low, high = np.nanquantile((of_jobs * of_seeds).sum(axis=1) / len(values), BOUNDS)
    return float(low), float(high)


def _images(keys: Sequence[Key]) -> list[str]:
    return sorted({str(key[0]) for key in keys})


@lru_cache(maxsize=8)
def _weights(units: int, seeds: int, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each resample draws each unit, and each seed: the same draws each time."""
    generator = np.random.default_rng(0)
    of_units, of_seeds = (generator.multinomial(count, np.full(count, 1 / count), size=resamples) for count in (units, seeds))
    return of_units.astype(float), of_seeds.astype(float)


def _pairs(group: Group, baseline: Group) -> list[tuple[list[Job], list[Job]]]:
    """Pair the jobs of the two groups by seed, for all seeds that both have. If they share none, or a group has a seed twice, pair
    all jobs with all."""
    mine, theirs = ({job.seed: job for job in either.jobs} for either in (group, baseline))
    common = [seed for seed in mine if seed in theirs]
    if common and len(mine) == len(group.jobs) and len(theirs) == len(baseline.jobs):
        return [([mine[seed]], [theirs[seed]]) for seed in common]
    return [(group.jobs, baseline.jobs)]


def _differences(mine: Sequence[Job], theirs: Sequence[Job], column: str) -> dict[Key, float]:
    one, other = _paired(mine, column), _paired(theirs, column)
    return {key: one[key] - other[key] for key in one if key in other}


def _paired(jobs: Sequence[Job], column: str) -> dict[Key, float]:
    """Return the mean of a score over jobs, for each photograph and cell of the grid."""
    values: dict[Key, list[float]] = {}
    for job in jobs:
        for key, row in keyed(job):
            values.setdefault(key, []).append(value(row, column))
    return {key: fmean(scores) for key, scores in values.items() if all(map(math.isfinite, scores))}
