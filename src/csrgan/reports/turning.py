"""Groups that change places over the degradation: better than the baseline where it is weak, and worse where it is strong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.comparison import Group, value
from csrgan.evaluation.intervals import Difference
from csrgan.evaluation.results import Row, predicted_in
from csrgan.reports.columns import WITH_SIGN, Score
from csrgan.reports.table import FACTORS, label
from csrgan.reports.verdicts import compared


class End(NamedTuple):
    """The rows at one end of a parameter. bound: their value nearest to the other end, in the parameter's unit."""

    words: str
    bound: float
    holds: Callable[[Row], bool]


def sentences(references: Mapping[Group, Group], chosen: Score, relevant: float) -> list[str]:
    """Return a sentence for each group, and parameter of the degradation, over which it changes places with its reference: a
    verdict at one third of the parameter's values, and the opposite one at the other third.

    references: of each group. chosen: the score of the verdicts. relevant: the least relevant difference, dB.
    """
    said = []
    predicted = (name for group in references for job in group.jobs for name in predicted_in(job.rows[0]))
    for name in dict.fromkeys([*NAMES, *predicted]):
        if not (ends := _ends(name, references)):
            continue
        weak, strong = (_compared_where(end.holds, references, chosen, relevant) for end in ends)
        for group, reference in references.items():
            first, second = weak.get(group), strong.get(group)
            if first and second and _opposite(chosen.verdict(first), chosen.verdict(second)):
                what, _, unit = label(name, _units(group)).partition(", ")
                told = (
                    f"{chosen.verdict(each)} {end.words} {end.bound * FACTORS.get(name, 1.0):.3g}{unit and f' {unit}'}"
                    f" ({chosen.interval(each)}{chosen.unit and f' {chosen.unit}'})"
                    for end, each in zip(ends, (first, second), strict=True)
                )
                said.append(
                    f"“{group.name}” and “{reference.name}” change places over the {what}: the first is {' and '.join(told)}."
                )
    return said


def _units(group: Group) -> dict[str, str]:
    return {name: unit for job in group.jobs for name, unit in job.units.items()}


def _ends(name: str, references: Mapping[Group, Group]) -> tuple[End, End] | None:
    """Return the two ends of a parameter over all rows; None if it hardly varies."""
    values = [value(row, name) for group in references for job in group.jobs for row in job.rows]
    known = sorted(number for number in values if math.isfinite(number))
    third = (len(known) - 1) // 3
    if not known or known[third] >= known[-1 - third]:
        return None
    low, high = known[third], known[-1 - third]
    return End("up to", low, lambda row: value(row, name) <= low), End("from", high, lambda row: value(row, name) >= high)


def _compared_where(
    holds: Callable[[Row], bool], references: Mapping[Group, Group], chosen: Score, relevant: float
) -> dict[Group, Difference | None]:
    """Return the difference of each group to its reference over the rows for which this holds."""
    part = {
        group: replace(group, jobs=[replace(job, rows=list(filter(holds, job.rows))) for job in group.jobs]) for group in references
    }
    whole = {group: all(job.rows for job in part[group].jobs) for group in references}
    pairs = {part[group]: part[reference] for group, reference in references.items() if whole[group] and whole[reference]}
    differences = compared(pairs, chosen, relevant) if pairs else {}
    return {group: differences.get(part[group]) for group in references}


def _opposite(one: str, other: str) -> bool:
    better, worse, higher, lower = WITH_SIGN
    return {one, other} in ({better, worse}, {higher, lower})
