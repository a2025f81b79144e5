"""The table for a paper: methods in rows, scores or test sets with scores in columns; the best is bold, verdicts are marks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from csrgan.evaluation.comparison import Group
from csrgan.reports.columns import Score
from csrgan.reports.numbers import Number, interval
from csrgan.reports.sets import Scored

MARKS = {"better": "+", "worse": "-", "higher": "*", "lower": "*"}  # of verdicts; others have none


@dataclass
class Cell:
    """A number of a method. best: whether no other of its column is better, as printed."""

    number: Number
    best: bool = False

    @property
    def mark(self) -> str:
        return MARKS.get(self.number.verdict, "")

    def text(self, value: float) -> str:
        return self.number.score.text(value)


@dataclass
class Column:
    """above: the test set, in a table of sets."""

    score: Score
    above: str = ""


@dataclass
class Block:
    """Rows that compare with each other. title: their test set; empty for the only one."""

    title: str
    rows: dict[str, list[Cell | None]] = field(default_factory=dict)


@dataclass
class PaperTable:
    """A table. baseline: what the methods of all rows are compared with; empty if that differs."""

    columns: list[Column]
    blocks: list[Block]
    baseline: str

    def only(self, columns: Sequence[int]) -> PaperTable:
        """Return the table with these columns."""
        blocks = [
            Block(block.title, {name: [row[index] for index in columns] for name, row in block.rows.items()})
            for block in self.blocks
        ]
        return PaperTable([self.columns[index] for index in columns], blocks, self.baseline)

    def in_parts(self, lines: int, tallest: int) -> Iterator[PaperTable]:
        """Yield the table in parts of at most so many lines, but at least one row. tallest: lines of a row; a title is one more."""
        part: list[Block] = []
        used = 0
        for block in self.blocks:
            begun = False
            for name, row in block.rows.items():
                if part and used + tallest + (not begun) > lines:
                    yield PaperTable(self.columns, part, self.baseline)
                    part, used, begun = [], 0, False
                if not begun:
                    part.append(Block(block.title, {}))
                part[-1].rows[name] = row
                used += tallest + (not begun)
                begun = True
        yield PaperTable(self.columns, part, self.baseline)

    @property
    def cells(self) -> list[Cell]:
        return [cell for block in self.blocks for row in block.rows.values() for cell in row if cell]


def of_groups(numbers: Sequence[Number], labels: Mapping[Group, str], scores: Sequence[Score]) -> PaperTable:
    """Return the table of groups and scores, a block of rows for each test set."""
    several = len({id(each.where) for each in numbers}) > 1
    blocks: dict[Scored, Block] = {}
    for each in numbers:
        title = f"{each.where.name}: {each.where.about}" if several else ""
        block = blocks.setdefault(each.where, Block(title))
        row = block.rows.setdefault(labels[each.group], [None] * len(scores))
        row[scores.index(each.score)] = Cell(each) if each.mean else None
    return _with_best(PaperTable([Column(score) for score in scores], list(blocks.values()), _baseline(numbers, labels)))


def of_sets(numbers: Sequence[Number], labels: Mapping[Group, str], scores: Sequence[Score]) -> PaperTable:
    """Return the table of methods, with all scores of each test set."""
    found = list(dict.fromkeys(each.where for each in numbers))
    columns = [Column(score, where.name) for where in found for score in scores]
    block = Block("")
    for each in numbers:
        row = block.rows.setdefault(labels[each.group], [None] * len(columns))
        row[found.index(each.where) * len(scores) + scores.index(each.score)] = Cell(each) if each.mean else None
    return _with_best(PaperTable(columns, [block], _baseline(numbers, labels)))


def lines(table: PaperTable) -> list[list[str]]:
    """Return the table for the page, headings first, with the interval behind each mean."""
    headings = [f"{column.above}, {column.score.heading}".removeprefix(", ") for column in table.columns]
    rows = [(name, row) for block in table.blocks for name, row in block.rows.items()]
    return [["settings", *headings], *([name, *map(_shown, row)] for name, row in rows)]


def _shown(cell: Cell | None) -> str:
    return interval(cell.number.score, cell.number.mean) if cell and cell.number.mean else "-"


def _baseline(numbers: Sequence[Number], labels: Mapping[Group, str]) -> str:
    names = {labels[each.reference] for each in numbers if each.reference is not each.group}
    return names.pop() if len(names) == 1 else ""


def _with_best(table: PaperTable) -> PaperTable:
    """Mark the best cells of each column and block, unless all are the same."""
    for block in table.blocks:
        for cells in zip(*block.rows.values(), strict=True):
            shown = [cell for cell in cells if cell]
            losses = [_loss(cell) for cell in shown]
            for cell, loss in zip(shown, losses, strict=True):
                cell.best = loss == min(losses) < max(losses)
    return table


def _loss(cell: Cell) -> float:
    """Return how far a printed mean is from the best value; nan for a score of which neither direction is better."""
    assert cell.number.mean
    value, target = float(cell.text(cell.number.mean.mean)), cell.number.score.target
    return -math.copysign(1, target) * value if math.isinf(target) else abs(value - target)
