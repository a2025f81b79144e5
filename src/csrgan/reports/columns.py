"""Score columns of rows: what they are called, their digits, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from csrgan.evaluation.comparison import Difference, Job
from csrgan.evaluation.metrics import METRICS


class Score(NamedTuple):
    """A column of rows. target: the value that is best; inf where higher is better, -inf where lower is, nan where neither."""

    column: str
    name: str
    unit: str = ""
    digits: int = 4
    target: float = math.nan

    @property
    def heading(self) -> str:
        return f"{self.name}, {self.unit}" if self.unit else self.name

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

    def interval(self, found: Difference) -> str:
        """A difference and its interval, with as many digits as the interval's width needs."""
        width = found.high - found.low
        digits = max(self.digits, min(8, 1 - math.floor(math.log10(width)))) if width > 1e-9 else self.digits
        mean, low, high = (f"{number:+.{digits}f}" for number in found[:3])
        return f"{mean} [{low}, {high}]"

    def verdict(self, found: Difference) -> str:
        """What the 95 % interval of a difference says."""
        if found.low <= 0 <= found.high:
            return "not told apart"
        if not math.isinf(self.target):
            return "higher" if found.low > 0 else "lower"
        return "better" if (found.low > 0) == (self.target > 0) else "worse"


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
NOT_USUAL = ("psnr_y", "ssim_y")  # shown where they are asked for


def usual() -> list[Score]:
    """The columns of a table: every metric, those of one's own too, and what is known of S alone."""
    first, *others = [_of_metric(name) for name in METRICS if name not in NOT_USUAL]
    return [first, GAIN, *others, *OF_RESTORED]


def known() -> list[Score]:
    """All columns."""
    return [*usual(), *map(_of_metric, NOT_USUAL), *OTHERS]


def _of_metric(name: str) -> Score:
    metric = METRICS[name]
    return Score(f"{name}_restored", metric.short, metric.unit, metric.digits, metric.best)


def of(column: str) -> Score:
    """What is known of a column."""
    return next((score for score in known() if score.column == column), Score(column, column))


def present(jobs: Iterable[Job]) -> list[str]:
    """The score columns that the rows have: those known, and whatever else is of S."""
    columns = {score.column for score in known()}
    found = dict.fromkeys(column for job in jobs for row in job.rows for column in row)
    derived = ["gain"] if {"psnr_restored", "psnr_low"} <= set(found) else []
    return derived + [column for column in found if column in columns or column.endswith("_restored")]


def in_table(jobs: Iterable[Job], chosen: str) -> list[Score]:
    """The scores of the table: the usual ones that the rows have, and the chosen one."""
    held = present(jobs)
    scores = [score for score in usual() if score.column in held]
    return scores if chosen in (score.column for score in scores) else [*scores, of(chosen)]
