"""Score columns of rows: their names, units and digits, and which direction is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from csrgan.evaluation.comparison import ERROR, Job, value
from csrgan.evaluation.intervals import Difference
from csrgan.evaluation.metrics import METRICS
from csrgan.evaluation.results import blank
from csrgan.reports.table import label

NOT_CLEAR, NOT_RELEVANT, ONE_SEED = "no clear difference", "no relevant difference", "no verdict: one seed"
WITH_SIGN = ("better", "worse", "higher", "lower")  # the verdicts that say which of two is which
RELEVANT = 0.05  # dB; a smaller difference is neither better nor worse, unless the user says otherwise
BY_CHANCE = 0.1  # dB; what another seed may change where no setting has several seeds to measure it

TITLES = {  # of scores that are no metric, where the heading of a table is too short for an axis
    "gain": "gain in PSNR of S over L, dB",
    "theta_error": "error of theta^, share of the range",
    "consistency_restored": "consistency of S with L, dB",
    "consistency_predicted": "consistency of S with L by theta^, dB",
}


class Score(NamedTuple):
    """A column of rows. target: the best value; inf if higher is better, -inf if lower is, nan if neither. words: the user's own in
    headings."""

    column: str
    name: str
    unit: str = ""
    digits: int = 4
    target: float = math.nan
    words: str = ""

    @property
    def heading(self) -> str:
        return self.words or (f"{self.name}, {self.unit}" if self.unit else self.name)

    @property
    def title(self) -> str:
        """Return what an axis says: the score in words, with its unit."""
        metric = METRICS.get(self.column.removesuffix("_restored"))
        return TITLES.get(self.column) or (metric.heading if metric else self.heading)

    @property
    def better(self) -> str:
        if math.isnan(self.target):
            return "neither higher nor lower is better by itself"
        if math.isinf(self.target):
            return "higher is better" if self.target > 0 else "lower is better"
        return f"closest to {self.target:g} is better"

    def text(self, value: float) -> str:
        sign = "+" if self.column == "gain" or self.target == 0 else ""
        return f"{value:{sign}.{self.digits}f}"

    def named(self, value: float) -> str:
        """Return a value with what it is and its unit, as in "gain +0.78 dB"."""
        return " ".join(filter(None, (self.name, self.text(value), self.unit)))

    def interval(self, difference: Difference) -> str:
        """Format a difference and its interval, with a digit more than the score where the interval is that narrow."""
        digits = self._digits(difference)
        mean, low, high = (f"{number:+z.{digits}f}" for number in difference[:3])
        return f"{mean} [{low}, {high}]"

    def verdict(self, difference: Difference) -> str:
        """Say what the 95 % interval of a difference means. A difference that is written as 0 is not clear; one of single seeds is
        a verdict only if it is larger than what another seed changes; one that is not relevant is neither better nor worse. It is
        not relevant if the whole interval is so small, too, and what another seed changes."""
        clear = not difference.low <= 0 <= difference.high and bool(round(difference.mean, self._digits(difference)))
        by_seed = difference.by_chance if difference.seeds == 1 else 0.0
        if clear and abs(difference.mean) < by_seed:
            return ONE_SEED
        greatest = max(abs(difference.low), abs(difference.high)) + by_seed
        relevant = difference.relevant * (1 - 1e-9)  # 1.05 - 1 is a little less than 0.05
        if greatest < relevant or (clear and abs(difference.mean) < relevant):
            return NOT_RELEVANT
        if not clear:
            return NOT_CLEAR
        better, worse, higher, lower = WITH_SIGN
        if not math.isinf(self.target):
            return higher if difference.low > 0 else lower
        return better if (difference.low > 0) == (self.target > 0) else worse

    def sentence(self, difference: Difference) -> str:
        """Return the verdict with what stands behind it, as in "better (3 seeds, 11 pictures)"."""
        return f"{self.verdict(difference)} ({_counted(difference.seeds, 'seed')}, {_counted(difference.pictures, 'picture')})"

    def changed_by(self, decibels: float, baseline: float) -> float:
        """Return how much so many dB are of this score. In another unit, it is the share of the baseline's score by which so many
        dB change the root mean squared error: 1.2 % for 0.1 dB."""
        return decibels if self.unit == "dB" else (10 ** (decibels / 20) - 1) * abs(baseline)

    def _digits(self, difference: Difference) -> int:
        width = difference.high - difference.low
        return max(self.digits, min(self.digits + 1, 1 - math.floor(math.log10(width)))) if width > 1e-9 else self.digits


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


HIGHER, LOWER = math.inf, -math.inf
GAIN = Score("gain", "gain", "dB", 3, HIGHER)
OF_RESTORED = (
    Score("consistency_restored", "consistency", "dB", 2),
    Score("theta_error", "error of theta^", "", 3, LOWER),
)
OTHERS = (
    Score("consistency_predicted", "consistency by theta^", "dB", 2),
    *(Score(f"shift_{colour}", f"{colour} shift", "", 4, 0.0) for colour in ("red", "green", "blue")),
    *(Score(f"contrast_{colour}", f"{colour} contrast", "", 3, 1.0) for colour in ("red", "green", "blue")),
)
ON_REQUEST = ("psnr_y", "ssim_y")  # not shown by default


def default_scores() -> list[Score]:
    """Return the default columns of a table: every metric, your own too, and the scores of S without a counterpart of L."""
    first, *others = [_of_metric(name) for name in METRICS if name not in ON_REQUEST]
    return [first, GAIN, *others, *OF_RESTORED]


def all_scores() -> list[Score]:
    """Return all columns."""
    return [*default_scores(), *map(_of_metric, ON_REQUEST), *OTHERS]


def _of_metric(name: str) -> Score:
    metric = METRICS[name]
    return Score(f"{name}_restored", metric.short, metric.unit, metric.digits, metric.best)


def score_of(column: str) -> Score:
    """Return the score in a column; one that is not in `all_scores` goes by the column's name."""
    known = next((score for score in all_scores() if score.column == column), None)
    if known or not column.endswith(ERROR):
        return known or Score(column, column)
    what, _, unit = label(column.removesuffix(ERROR)).partition(", ")
    return Score(column, f"error of {what}", {"/255": "fraction of full scale"}.get(unit, unit), 4, LOWER)


def present(jobs: Iterable[Job]) -> list[str]:
    """Return the score columns that the rows have a value of: those of `all_scores`, every other score of S, and the error of each
    predicted parameter."""
    columns = {score.column for score in all_scores()}
    names = dict.fromkeys(column for job in jobs for row in job.rows for column in row if not blank(row, column))
    derived = ["gain"] if {"psnr_restored", "psnr_low"} <= set(names) else []
    derived += [f"{name}{ERROR}" for name in names if f"{name}_predicted" in names]
    return derived + [column for column in names if column in columns or column.endswith("_restored")]


def table_scores(jobs: Sequence[Job], chosen: str) -> list[Score]:
    """Return the scores of the table: the default ones that the rows have, and the chosen one. A metric for which all pictures
    were too small is left out."""
    columns = present(jobs)
    scores = [score for score in default_scores() if score.column in columns and _is_defined(score, jobs)]
    return scores if chosen in (score.column for score in scores) else [*scores, score_of(chosen)]


def _is_defined(score: Score, jobs: Sequence[Job]) -> bool:
    """Return whether some L has the score; True for a score that only S has."""
    of_low = [value(row, f"{score.column.removesuffix('_restored')}_low") for job in jobs for row in job.rows]
    return score.column.removesuffix("_restored") not in METRICS or any(map(math.isfinite, of_low))
