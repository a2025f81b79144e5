"""All rows of a sweep in one csv: the job, the settings that vary, then the columns of results.csv."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from csrgan.evaluation.comparison import Job, varying
from csrgan.files import table_cell


def write(file: Path, jobs: Sequence[Job]) -> None:
    """Write the rows of all complete jobs, numbers with six significant digits; a cell is empty if the job lacks the column."""
    complete = [job for job in jobs if job.rows]
    settings = {job: dict(word.split("=", 1) for word in words if "=" in word) for job, words in varying(jobs).items()}
    factors = dict.fromkeys(key for job in complete for key in settings[job])
    columns = dict.fromkeys(column for job in complete for row in job.rows for column in row)
    with file.open("w", newline="", encoding="utf-8") as output:
        table = csv.writer(output)
        table.writerow(["job", *map(table_cell, factors), *map(table_cell, columns)])
        for job in complete:
            first = [table_cell(job.name), *(table_cell(settings[job].get(factor, "")) for factor in factors)]
            table.writerows([*first, *(_text(row.get(column, "")) for column in columns)] for row in job.rows)


def _text(value: str | float) -> str:
    return table_cell(value) if isinstance(value, str) else f"{value:.6g}"
