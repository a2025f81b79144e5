"""metrics.csv: what a run tells of itself, a row at a time, against images seen."""

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

Row = Mapping[str, str | float | None]  # None: a step that nobody told
Stepped = TypeVar("Stepped", bound=Row)
STEP = "step"  # images seen
EVALUATION = "valid/"  # how the columns of an evaluation begin


class MetricsCsv(RunLogger):
    """Each row is on the disk when it is logged; one that cannot be written is told, and written with a later one.

    A run that goes on goes on in the same file, without what it will write again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(METRICS)
        self.rows: list[Row] = []
        self.columns: list[str] = []  # of the file; none: the next row writes it anew

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
        """Forget what was logged after so many images, and evaluations after `evaluated` images."""
        self.rows = until(self.rows, images_seen, evaluated)
        if self.rows:
            self._write_all()

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """A row; an evaluation takes the place of one after as many images, as where a finished run is resumed."""
        row: Row = {STEP: step, **metrics}
        if evaluation(row):
            others = [one for one in self.rows if not (evaluation(one) and _seen(one) == step)]
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
            self.columns = []  # so that all are written anew
            sentence = f"csrgan train: {self.file} takes no row ({reason.strerror}); it is tried again with the next"
            print(printable(sentence), file=sys.stderr)

    def _write_all(self) -> None:
        columns = sorted({column for row in self.rows for column in row})
        with atomic_write(self.file) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(self.rows)
        self.columns = columns


def evaluation(row: Row) -> bool:
    """Whether the row tells of an evaluation, and not of a training step."""
    return any(column.startswith(EVALUATION) for column in row)


def _seen(row: Row) -> int:
    return int(row[STEP] or 0)


def until(rows: Iterable[Stepped], images_seen: int, evaluated: int) -> list[Stepped]:
    """The rows that were logged after at most so many images, and the evaluations after at most `evaluated`."""
    limits = {False: images_seen, True: evaluated}
    return [row for row in rows if _seen(row) <= limits[evaluation(row)]]


def read(file: Path) -> list[dict[str, str]]:
    """The rows of the file, each with the columns that it has values in; a last one that was cut off is left out."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows = [row for row in rows if (row.get(STEP) or "").isdigit() and None not in row.values()]
    return [{column: value for column, value in row.items() if value != ""} for row in rows]
