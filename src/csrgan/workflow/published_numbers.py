"""The numbers of a report's table of published ones: those of a csv file, and those that runs measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from csrgan.errors import UserError, require
from csrgan.evaluation import results
from csrgan.evaluation.comparison import Job
from csrgan.reports.published import SCORES, Entry, Measured
from csrgan.runs import jobs
from csrgan.workflow import origin
from csrgan.workflow.origin import Origin

OWN = Path(str(files("csrgan.reports") / "published.csv"))  # travels with csrgan


def read(file: str | None) -> list[Entry]:
    """Return the entries of a csv file; None: of csrgan's own. Raises UserError for a file that holds none."""
    path = Path(file) if file else OWN
    require(path.is_file(), f"published={file} is not a file.")
    try:
        lines = jobs.table(path)
        lacking = [name for name in Entry._fields[:4] if lines and name not in lines[0]]
        require(bool(lines) and not lacking, f"it has no column {', '.join(lacking)}." if lacking else "it holds no numbers.")
        return [_entry(line) for line in lines]
    except UserError as reason:
        raise UserError(f"published={path}: {reason}") from reason


def _entry(line: dict[str, str]) -> Entry:
    texts = {name: line.get(name, "") for name in Entry._fields}
    return Entry(**texts | {name: jobs.number(texts[name], name) for name in SCORES})  # type: ignore[arg-type]


def measured(folder: Path, job: Job, entries: Sequence[Entry]) -> list[Measured]:
    """Return the means of a run over each set; none if its protocol has no published numbers."""
    protocols = dict.fromkeys(entry.protocol for entry in entries)
    found = origin.read(folder, protocols)
    if found is None or found.protocol not in protocols or not job.rows:
        return []
    sets = origin.by_set(job.rows, found, dict.fromkeys(entry.set for entry in entries))
    return [_means(name, rows, found) for name, rows in sets.items()]


def _means(name: str, rows: Sequence[results.Row], found: Origin) -> Measured:
    psnr, ssim = (results.mean(rows, f"{score}_restored") if f"{score}_restored" in rows[0] else math.nan for score in SCORES)
    few = origin.missing(name, {str(row["image"]) for row in rows})
    return Measured(found.protocol, name, found.method, psnr, ssim, ", ".join(filter(None, (found.scored, few))))
