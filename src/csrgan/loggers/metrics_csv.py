"""metrics.csv: the metrics of a run, one row at a time, against images seen."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from lightning.pytorch.utilities import rank_zero_only

from csrgan.errors import printable
from csrgan.files import atomic_write
from csrgan.loggers.run_logger import RunLogger
from csrgan.run_folder import METRICS
from csrgan.tree import Settings

Row = Mapping[str, str | float | None]  # None: no step was given
RowType = TypeVar("RowType", bound=Row)
STEP = "step"  # images seen
EVALUATION = "valid/"  # prefix of the columns of an evaluation


class MetricsCsv(RunLogger):
    """Write each row to disk when it is logged; report a row that cannot be written, and write it with a later one.

    A resumed run continues in the same file, without the rows that it will write again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(METRICS)
        self.rows: list[Row] = []
        self.columns: list[str] = []  # of the file; empty: the next row rewrites the file

    def begin(self, settings: Settings, folder: Path) -> None:
        self.file = folder / METRICS
        self.rows = [*read(self.file)] if settings.get("resume") else []

    @property
    def name(self) -> str:
        return METRICS

    @property
    def version(self) -> str:
        return ""

    def rewind(self, images_seen: int, evaluated: int) -> None:
        """Drop training rows after `images_seen` images, and evaluations after `evaluated` images."""
        self.rows = rows_until(self.rows, images_seen, evaluated)
        if self.rows:
            self._write_all()

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row. An evaluation replaces an earlier one after the same number of images, as when a finished run is resumed."""
        row: Row = {STEP: step, **metrics}
        if is_evaluation(row):
            others = [other for other in self.rows if not (is_evaluation(other) and _images_seen(other) == step)]
            self.columns = self.columns if len(others) == len(self.rows) else []
            self.rows = others
        self.rows.append(row)
        try:
            if row.keys() <= set(self.columns):
                with self.file.open("a", newline="", encoding="utf-8") as file:
                    csv.DictWriter(file, self.columns).writerow(row)
            else:
                self._write_all()
        except OSError as reason:
            self.columns = []  # the next row rewrites the file
            sentence = (
                f"csrgan train: {self.file}: a row could not be written ({reason.strerror}); it is tried again with the next row"
            )
            print(printable(sentence), file=sys.stderr)

    def _write_all(self) -> None:
        columns = sorted({column for row in self.rows for column in row})
        with atomic_write(self.file) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(self.rows)
        self.columns = columns


def is_evaluation(row: Row) -> bool:
    """Return whether the row is of an evaluation, and not of a training step."""
    return any(column.startswith(EVALUATION) for column in row)


def _images_seen(row: Row) -> int:
    return int(row[STEP] or 0)


def rows_until(rows: Iterable[RowType], images_seen: int, evaluated: int) -> list[RowType]:
    """Return the training rows after at most `images_seen` images, and the evaluations after at most `evaluated` images."""
    limits = {False: images_seen, True: evaluated}
    return [row for row in rows if _images_seen(row) <= limits[is_evaluation(row)]]


def read(file: Path) -> list[dict[str, str]]:
    """Return the rows of the file, each with its non-empty columns, without a last row that was cut off."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows = [row for row in rows if (row.get(STEP) or "").isdigit() and None not in row.values()]
    return [{column: value for column, value in row.items() if value != ""} for row in rows]
