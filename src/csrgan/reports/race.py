"""How many minutes of training each setting needs until a score: a race by the clock, `csrgan report reach=[...]`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, stdev

from matplotlib.figure import Figure
from scipy.special import stdtrit

from csrgan.evaluation.comparison import Group
from csrgan.reports.chart import blank, labels, legend, literal, wrapped
from csrgan.reports.columns import Score
from csrgan.reports.look import PAGE, Look, style

Clock = Sequence[tuple[float, float]]  # seconds of training, without evaluations, and the score at each evaluation


def minutes_until(clock: Clock, least: float, *, higher: bool = True) -> float:
    """Return the minutes of training after which a score reaches a value and nothing later takes it below: linear between two
    evaluations; at the first evaluation if it has it already; inf: it is not reached.

    higher: whether a higher score is better.

    >>> minutes_until([(60, 0.0), (120, 1.0)], 0.5)
    1.5
    """
    sign = 1 if higher else -1
    ahead = [(seconds, sign * (score - least)) for seconds, score in clock]
    if not ahead or not ahead[-1][1] >= 0:
        return math.inf
    for (before, behind), (after, lead) in reversed([*pairwise(ahead)]):
        if not behind >= 0:
            whole = lead - behind
            return (after - (after - before) * (lead / whole if math.isfinite(whole) and whole else 0.0)) / 60
    return ahead[0][0] / 60


def table(groups: Sequence[Group], chosen: Score, reach: Sequence[float]) -> list[list[str]]:
    """Return the minutes of each group until each value of the score, headings first; empty if no run was scored by the clock.

    A cell has the mean over seeds and its 95 % interval by Student's t; or how many seeds never came there.
    """
    timed = [group for group in groups if any(job.clock for job in group.jobs)]
    if not timed or not reach:
        return []
    higher = chosen.target > 0
    headings = ["settings", "seeds", *(f"minutes to {chosen.named(value)}" for value in reach)]
    lines = [
        [
            group.name,
            str(len(group.jobs)),
            *(_cell([minutes_until(job.clock, value, higher=higher) for job in group.jobs]) for value in reach),
        ]
        for group in timed
    ]
    return [headings, *lines]


def _cell(minutes: Sequence[float]) -> str:
    reached = [each for each in minutes if math.isfinite(each)]
    if len(reached) < len(minutes):
        return "never" if not reached else f"never in {len(minutes) - len(reached)} of {len(minutes)}"
    mean = fmean(reached)
    digits = 1 if mean >= 10 else 2
    if len(reached) == 1:
        return f"{mean:.{digits}f}"
    half = float(stdtrit(len(reached) - 1, 0.975)) * stdev(reached) / math.sqrt(len(reached))
    return f"{mean:.{digits}f} [{max(0.0, mean - half):.{digits}f}, {mean + half:.{digits}f}]"


def chart(groups: Sequence[Group], chosen: Score, reach: Sequence[float], look: Look = PAGE) -> Figure | None:
    """Plot the score over the minutes of training, a line for each job, and the values to reach; None without such a race."""
    figure = blank(look, 0.2 + 0.5 * look.inches)
    axes = figure.add_subplot()
    for index, (group, label) in enumerate(labels(groups, look).items() if reach else ()):
        clocks = [job.clock for job in group.jobs if len(job.clock) > 1]
        for order, clock in enumerate(clocks):
            seconds, scores = zip(*clock, strict=True)
            minutes = [each / 60 for each in seconds]
            axes.plot(minutes, scores, markersize=3, linewidth=1, label=None if order else literal(label), **style(index))
    if not axes.lines:
        return None
    for value in reach:
        axes.axhline(value, color="black", linewidth=0.5, linestyle=":")
    axes.set_xlabel("minutes of training, without evaluations")
    axes.set_ylabel(wrapped(literal(look.score(chosen)), look.letters(0.5, 8)))
    axes.grid(alpha=0.3)
    legend(figure, look)
    return figure
