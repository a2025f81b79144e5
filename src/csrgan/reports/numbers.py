"""Every number of a report: the mean of a score on a test set, and its difference to the baseline's, each with its interval."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from csrgan.evaluation.comparison import Group, references
from csrgan.evaluation.intervals import Difference, Mean, estimate
from csrgan.files import table_cell
from csrgan.reports.columns import Score
from csrgan.reports.sets import Scored
from csrgan.reports.verdicts import compared

HEADINGS = (
    *("test set", "settings", "name", "score", "unit", "mean", "low", "high", "seeds", "pictures"),
    *("compared with", "difference", "difference low", "difference high", "paired seeds", "paired pictures", "verdict"),
)


@dataclass(frozen=True)
class Number:
    """A score of a group on a test set. mean: None without a value. reference: of the difference; None for a reference itself, or
    if nothing pairs."""

    where: Scored
    group: Group
    score: Score
    mean: Mean | None
    reference: Group
    difference: Difference | None

    @property
    def verdict(self) -> str:
        return self.score.verdict(self.difference) if self.difference else ""


def measured(found: Sequence[Scored], scores: Sequence[Score], baseline: str | None, relevant: float) -> list[Number]:
    """Return the numbers of all groups, set by set. relevant: the least difference that is better or worse, dB."""
    of_sets = [references(each.methods, baseline) for each in found]
    all_references = {group: reference for each in of_sets for group, reference in each.items()}
    differences = {score: compared(all_references, score, relevant) for score in scores}
    return [
        Number(each, group, score, estimate(group, score.column), all_references[group], differences[score][group])
        for each in found
        for group in each.methods
        for score in scores
    ]


def write(file: Path, numbers: Sequence[Number], labels: Mapping[Group, str]) -> None:
    """Write numbers.csv: a line for each number, one value a cell, with eight significant digits; empty where there is none."""
    with file.open("w", newline="", encoding="utf-8") as output:
        table = csv.writer(output)
        table.writerow(HEADINGS)
        for each in numbers:
            texts = (each.where.name, each.group.name, labels[each.group], each.score.column, each.score.unit)
            mean = [*map(_text, each.mean[:3]), each.mean.seeds, each.mean.pictures] if each.mean else [""] * 5
            against = "" if each.reference is each.group else labels[each.reference]
            found = each.difference
            difference = [*map(_text, found[:3]), found.seeds, found.pictures] if found else [""] * 5
            table.writerow([*map(table_cell, texts), *mean, table_cell(against), *difference, each.verdict])


def lines(numbers: Sequence[Number], labels: Mapping[Group, str]) -> list[list[str]]:
    """Return a table for the page, headings first: each mean and each difference with its interval."""
    several = len({id(each.where) for each in numbers}) > 1
    result = [["settings", *(["test set"] if several else []), "score", "mean", "difference to the baseline", "verdict"]]
    for each in numbers:
        found = each.difference
        text, verdict = (each.score.interval(found), each.score.sentence(found)) if found else ("", "")
        mean = interval(each.score, each.mean) if each.mean else "-"
        where = [each.where.name] if several else []
        result.append([labels[each.group], *where, each.score.heading, mean, text, verdict])
    return result


def interval(score: Score, mean: Mean) -> str:
    """Return a mean with its interval, as in "28.42 [27.90, 28.95]"."""
    return f"{score.text(mean.mean)} [{score.text(mean.low)}, {score.text(mean.high)}]"


def _text(number: float) -> str:
    return f"{number:.8g}"
