"""The csv file that says which pictures belong together, and how the degraded ones were made."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from csrgan.degradation.parameters import NAMES
from csrgan.errors import UserError

LOW, SHARP = ("low", "file"), "sharp"  # columns; csrgan degrade calls the first one `file`
DERIVED = ("blur_std_effective", "kernel_")  # beginnings of further columns of csrgan degrade
LEAST = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0}


@dataclass(frozen=True)
class PairRow:
    """A line of the table. low, sharp: names as written there; sharp is empty where the table has no such column. line: its number.

    theta: the cells of the other columns that are not empty, by column.
    """

    low: str
    sharp: str
    theta: Mapping[str, str]
    line: int


class PairTable:
    """The rows of a csv file with a column `low` (or `file`), perhaps a column `sharp`, and a column for each known parameter.

    columns: its other columns. Raises UserError for a file that is no such table.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as reason:
            raise UserError(f"{file} cannot be read: {reason.strerror}.") from None
        except UnicodeDecodeError:
            raise UserError(f"{file} is not a csv file in UTF-8.") from None
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        try:
            lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", strict=True)
            headings = [heading.strip() for heading in lines.fieldnames or ()]
            lines.fieldnames = headings
            content = [(lines.line_num, row) for row in lines]
        except csv.Error as reason:
            raise UserError(f"{file} is not a csv file that can be read: {reason}.") from None
        low = next((name for name in LOW if name in headings), None)
        if low is None:
            shown = ", ".join(headings) or "none"
            raise UserError(f"{file} has no column low, which names the degraded pictures; its columns: {shown}.")
        self.columns = [heading for heading in headings if heading not in (low, SHARP)]
        self.has_sharp = SHARP in headings
        self.rows = [self._row(row, low, line) for line, row in content]
        if not self.rows:
            raise UserError(f"{file} holds no pair.")

    def _row(self, row: Mapping[str, str | None], low: str, line: int) -> PairRow:
        cells = {name: (row.get(name) or "").strip() for name in (low, SHARP, *self.columns)}
        lacking = [name for name in (low, *([SHARP] if self.has_sharp else [])) if not cells[name]]
        if lacking or "" in row:
            raise UserError(f"{self.file}, line {line}: {'too many cells' if '' in row else f'the cell {lacking[0]} is empty'}.")
        theta = {name: cells[name] for name in self.columns if cells[name]}
        return PairRow(cells[low], cells[SHARP] if self.has_sharp else "", theta, line)

    def ignored(self, read: Collection[str]) -> str:
        """Return a sentence on columns that nothing reads; empty if there are none. read: names of the parameters."""
        unread = [name for name in self.columns if name not in read and not name.startswith(DERIVED)]
        if not unread:
            return ""
        near = [match for name in unread for match in get_close_matches(name, list(read), n=1, cutoff=0.4)]
        hint = f" Did you mean {' and '.join(dict.fromkeys(near))}?" if near else ""
        return f"{self.file}: not read are the columns {', '.join(unread)}; of the degradation, {', '.join(read)} are.{hint}"


def number(name: str, text: str) -> float:
    """Return a parameter's value. Raises UserError for what cannot be one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    least, most = LEAST.get(name, -math.inf), 1.0 if name == "noise_std" else math.inf
    if not (least <= value <= most and math.isfinite(value)):
        valid = {"noise_std": "a fraction of full scale, such as 0.02", "scale": "1 or above"}.get(
            name, "0 or above" if name in NAMES else "a number"
        )
        raise UserError(f"{name}={text} must be {valid}.")
    return value


def numbers(row: PairRow, names: Collection[str]) -> dict[str, float]:
    """Return the parameters of a row that are known. Raises UserError for cells that hold none."""
    return {name: number(name, text) for name, text in row.theta.items() if name in names}


def faults_of(rows: Collection[PairRow | None], names: Collection[str], file: Path | None) -> Iterator[str]:
    """Yield a sentence for each row with a cell that is no parameter."""
    for row in rows:
        try:
            numbers(row, names) if row else None
        except UserError as error:
            yield f"{file}, line {row.line if row else 0}: {error}"
