"""The table of a sweep: a line a group, its scores, and what the difference to its baseline says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from csrgan.evaluation.comparison import COLLAPSED, Difference, Group, collapsed, holds, mean, spread
from csrgan.evaluation.results import PICTURES
from csrgan.reports.columns import Score


def table(
    references: Mapping[Group, Group],
    differences: Mapping[Group, Difference | None],
    labels: Mapping[Group, str],
    *,
    scores: Sequence[Score],
    chosen: Score,
    baseline: str | None,
) -> list[list[str]]:
    """Headings first."""
    others = [score for score in scores if score != chosen]
    first = ["settings", "verdict", "difference to the baseline", chosen.heading, "deviation over seeds"]
    lines = [[*first, *(score.heading for score in others), "seeds", "collapsed", "seconds", "compared with"]]
    for group, reference in references.items():
        count = len(group.jobs)
        lines.append(
            [
                group.name,
                *_compared(group, reference, differences[group], chosen, baseline),
                *(_text(score, mean(group, score.column)) for score in others),
                str(count),
                f"{collapsed(group)} of {count}",
                f"{sum(job.seconds for job in group.jobs) / count:.0f}",
                "" if reference is group else labels[reference],
            ]
        )
    return lines


def rule(baseline: str | None) -> str:
    """Which group is compared with which, in a sentence."""
    if baseline is None:
        return "Each group is compared with the first of those scored on the same photographs and degradations."
    return (
        "Each group is compared, among those scored on the same photographs and degradations, with the one that differs from it in"
        f" the fewest settings of those that hold every word of “{baseline}”; where none does, with the first of them."
    )


def note(references: Mapping[Group, Group], chosen: Score) -> str:
    """What the numbers of the table are."""
    images = min(len({row["image"] for row in group.jobs[0].rows}) for group in references)
    resampled = f"the {images} photographs" if images >= PICTURES else "photograph and degradation pairs"
    warning = "" if images >= PICTURES else f" {images} photographs are too few to speak for others."
    return (
        f"The score is {chosen.heading}: {chosen.better}. Differences are of means over the seeds that both have, with 95 %"
        f" intervals of a paired bootstrap over {resampled} and these seeds.{warning}"
        f" A job has collapsed where its mean gain is below {COLLAPSED:g} dB, or nan."
    )


def _compared(group: Group, reference: Group, found: Difference | None, chosen: Score, baseline: str | None) -> list[str]:
    """Verdict, difference, score and deviation."""
    deviation = spread(group, chosen.column)
    told = [_text(chosen, mean(group, chosen.column)), "-" if math.isnan(deviation) else f"{deviation:.2g}"]
    if group is reference:
        named = baseline is None or holds(group, baseline)
        return ["baseline" if named else "baseline: the first scored on these", "", *told]
    if found is None:
        return ["no value to compare", "", *told]
    return [chosen.verdict(found), chosen.interval(found), *told]


def _text(score: Score, value: float) -> str:
    return "nan" if math.isnan(value) else score.text(value)
