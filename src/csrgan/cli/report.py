"""csrgan report: sweeps, runs and evaluations below a folder become one page, with tables as csv and Markdown and charts as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from omegaconf import DictConfig

from csrgan import run_folder
from csrgan.api import own
from csrgan.config.build import checked_settings
from csrgan.console import Console
from csrgan.data import picture
from csrgan.errors import UserError, require
from csrgan.evaluation.comparison import Job, grouped, holds
from csrgan.files import relative
from csrgan.reports import columns, page
from csrgan.runs import jobs

COSTS = {  # what a summary.json says of them, what they are called, and in what unit: 1 of it is so many
    "images_seen": ("images seen", 1),
    "multiply_adds_training": ("multiply-adds a training image, 1e9", 1e9),
    "seconds_training": ("training, s", 1),
    "multiply_adds_restore": ("multiply-adds a pixel of S, 1e3", 1e3),
    "seconds_restore": ("restoring a picture, s", 1),
}
DIAGNOSTICS = ("loss_share/", "gradient_share/", "cosine/", "D(")  # how their columns in metrics.csv begin


def run(config: DictConfig) -> int:
    """Read every job below the folder and write the page and what belongs to it into the folder."""
    own.metrics()
    settings = checked_settings(config)
    folder = Path(settings["folder"])
    require(folder.is_dir(), f"folder={folder} is not a folder.")
    places = jobs.places(folder)
    require(
        bool(places),
        f"folder={folder} holds neither a sweep nor a run: no folder in it has a {run_folder.JOB} or {run_folder.OVERRIDES}.",
    )
    found = [_job(place, place.relative_to(folder).as_posix(), settings["score"]) for place in places]
    _examine(found, settings["baseline"], settings["score"])
    written = page.write(
        folder,
        found,
        title=settings["title"] or folder.resolve().name,
        question=settings["question"] or "",
        baseline=settings["baseline"],
        score=settings["score"],
    )
    Console().print(f"{len(found)} jobs: {relative(written)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _examine(found: list[Job], baseline: str | None, score: str) -> None:
    groups = grouped(found)
    if groups and score not in columns.present(found):
        raise UserError.unknown("score", score, columns.present(found))
    if baseline is not None and not any(holds(group, baseline) for group in groups):
        raise UserError.unknown("baseline", baseline, {word for group in groups for word in group.settings})


def _job(place: Path, name: str, score: str) -> Job:
    """A job whose files are damaged is left out, and the page says why."""
    try:
        held = jobs.job(place)
    except UserError as fault:
        return Job(name, (), reason=str(fault))
    told = Job(name, tuple(held["words"]), held["reason"] or held["status"], held["command"], held["seconds"])
    if held["status"] != "complete":
        return told
    try:
        rows, metrics = jobs.rows(place), jobs.table(place / run_folder.METRICS)
        return replace(
            told,
            reason="",
            rows=rows,
            curve=_curve(metrics, "valid/gain_db" if score == "gain" else f"valid/{score}"),
            diagnostics=_diagnostics(metrics),
            costs=_costs(jobs.summary(place)),
            units=jobs.units(place),
            pictures=sorted(
                file.parent for file in place.glob(f"{run_folder.PICTURES}/*/{run_folder.RESTORED}") if _whole(file.parent)
            ),
        )
    except UserError as fault:
        return replace(told, reason=str(fault))


def _curve(metrics: jobs.Table, column: str) -> list[tuple[float, float]]:
    """Images seen and the score at each evaluation, where the run kept them."""
    return [(_number(row, "step"), _number(row, column)) for row in metrics if row.get(column) and row.get("step")]


def _diagnostics(metrics: jobs.Table) -> dict[str, float]:
    """The mean over the run of each diagnostic that it logged."""
    names = [name for name in (metrics[0] if metrics else ()) if name.startswith(DIAGNOSTICS)]
    values = {name: [_number(row, name) for row in metrics if row[name]] for name in names}
    return {name: fmean(found) for name, found in values.items() if found}


def _number(row: Mapping[str, str], column: str) -> float:
    return jobs.number(row[column], f"{run_folder.METRICS}: {column}")


def _costs(held: Mapping[str, float]) -> dict[str, float]:
    """Parameters, and those of COSTS that the run measured."""
    sizes = [held[key] for key in held if key.endswith("_parameters")]
    found = {"parameters": float(sum(sizes))} if any(sizes) else {}
    return found | {name: held[key] / unit for key, (name, unit) in COSTS.items() if held.get(key, 0) > 0}


def _whole(folder: Path) -> bool:
    """Whether S, L and H are there, each a picture."""
    try:
        return all(min(picture.size(folder / name)) > 0 for name in (run_folder.RESTORED, run_folder.LOW, run_folder.SHARP))
    except UserError:
        return False
