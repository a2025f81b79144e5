"""csrgan report: a sweep becomes one page, and its table as csv and Markdown."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from csrgan.cli import relative
from csrgan.cli.sweep import FILE
from csrgan.config.build import plain
from csrgan.evaluation.comparison import Job, grouped
from csrgan.fault import Fault, check
from csrgan.reports import page


def run(config: DictConfig) -> int:
    """Read every job of the sweep and write report.html, report.csv and report.md into its folder."""
    settings = plain(config)
    folder = Path(settings["folder"])
    check(folder.is_dir(), f"folder={folder} is not a folder.")
    places = sorted((file.parent for file in folder.glob(f"*/{FILE}")), key=lambda place: (len(place.name), place.name))
    check(bool(places), f"folder={folder} is not the folder of a sweep: none of its folders holds a {FILE}.")
    jobs = [_job(place) for place in places]
    names = [group.name for group in grouped(jobs)]
    if settings["baseline"] is not None and settings["baseline"] not in names:
        raise Fault.unknown("baseline", settings["baseline"], names)
    written = page.write(
        folder,
        jobs,
        title=settings["title"] or folder.name,
        question=settings["question"] or "",
        baseline=settings["baseline"],
        panels={place.name: sorted((place / "panels").glob("*.png")) for place in places},
    )
    Console().print(f"{len(jobs)} jobs: {relative(written)}", highlight=False, soft_wrap=True)
    return 0


def _job(place: Path) -> Job:
    held = json.loads((place / FILE).read_text(encoding="utf-8"))
    complete = held["status"] == "complete"
    return Job(
        name=place.name,
        words=tuple(held["words"]),
        reason=held["reason"],
        command=held["command"],
        seconds=held["seconds"],
        rows=_rows(place / "results.csv") if complete else (),
        curve=_curve(place / "metrics.csv") if complete else (),
    )


def _rows(file: Path) -> list[dict[str, str | float]]:
    with file.open(encoding="utf-8", newline="") as table:
        return [{key: value if key == "image" else _number(value) for key, value in row.items()} for row in csv.DictReader(table)]


def _curve(file: Path) -> list[tuple[float, float]]:
    """Images seen and gain at each evaluation, where the run kept them."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row.get("valid/gain_db")]
    return [(_number(row["step"]), _number(row["valid/gain_db"])) for row in rows]


def _number(text: str) -> float:
    return float(text) if text else math.nan
