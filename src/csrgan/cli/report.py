"""csrgan report: summarise sweeps, runs and evaluations on one page, with csv and Markdown tables and PNG charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_
from pathlib import Path
from statistics import fmean

import numpy as np
from omegaconf import DictConfig

from csrgan import run_folder
from csrgan.api import own
from csrgan.config import announced
from csrgan.config.build import checked_settings
from csrgan.config.occupied import holds_jobs
from csrgan.config.override import plain_number
from csrgan.config.resume import command_of_sweep
from csrgan.console import Console
from csrgan.data import picture
from csrgan.errors import UserError, require
from csrgan.evaluation.comparison import PLAIN, Job, comparable, counted, grouped, holds
from csrgan.files import relative
from csrgan.reports import columns, look, page, published, training
from csrgan.runs import jobs
from csrgan.runs.given_places import with_jobs
from csrgan.runs.record import seconds
from csrgan.training.network_updater import UNWEIGHTED
from csrgan.tree import Settings
from csrgan.workflow import origin, published_numbers

COSTS = {  # key in summary.json: its heading, and the size of its unit
    "images_seen": ("images seen", 1),
    "multiply_adds_training": ("multiply-adds a training image, 1e9", 1e9),
    "seconds_training": (training.TRAINED, 1),
    "multiply_adds_restore": ("multiply-adds a pixel of S, 1e3", 1e3),
    "seconds_restore": ("restoring a picture, s", 1),
}
PROTOCOL = "readme"  # the one that csrgan proposes to score all networks on
SECONDS = "seconds_training"  # column of metrics.csv
OF_PICTURES = ("data=", "data.valid=", "evaluation=", "evaluation.")  # beginnings of words that choose what is scored
DIAGNOSTICS = (UNWEIGHTED, "loss_share/", "gradient_share/", "cosine/", "D(")  # prefixes of their columns in metrics.csv


def run(config: DictConfig) -> int:
    """Read every job below the folder, and write the page with its tables and charts into the folder."""
    settings = checked_settings(config)
    folder = Path(settings["folder"])
    with_jobs(folder)
    folders, due = jobs.folders(folder), jobs.due(folder)
    left = jobs.left_over(folder)
    begun = [
        replace(_job(path, path.relative_to(folder).as_posix(), settings["score"]), asked=path not in left) for path in folders
    ]
    sweeps = {path.parent: command_of_sweep(Path(relative(path.parent))) for path, _ in due}
    read = begun + [
        Job(path.relative_to(folder).as_posix(), tuple(words), "has not begun", sweeps[path.parent]) for path, words in due
    ]
    own.register_metrics({column.removesuffix("_restored") for job in read for row in job.rows[:1] for column in row})
    asked = _asked(settings, read)
    entries = published_numbers.read(settings["published"])
    runs = [found for path, job in zip(folders, begun, strict=True) for found in published_numbers.measured(path, job, entries)]
    written = page.write(
        folder,
        read,
        title=settings["title"] or folder.resolve().name,
        question=settings["question"] or "",
        asked=asked,
        published=published.table(entries, runs, asked=bool(settings["published"])),
        advice=_advice(folder, {path: job for path, job in zip(folders, begun, strict=True) if job.rows}),
    )
    every = f"{len(read)} {'job' if len(read) == 1 else 'jobs'}"
    said = counted(read) if left or any(job.reason for job in read) else every
    Console().print(f"{said}: {relative(written)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _advice(folder: Path, complete: Mapping[Path, Job]) -> str:
    """Return the commands that score all trainings on one protocol, if they were scored on several test sets; else empty.

    folder: of the report. complete: the jobs that have rows, by their folders.
    """
    trained = {path: job for path, job in complete.items() if (path / run_folder.CHECKPOINTS).is_dir()}
    if len(comparable(grouped(list(trained.values())))) < 2:
        return ""
    whole = folder.resolve()
    together = relative(whole.with_name(f"{whole.name}_on_{PROTOCOL}"))
    swept = holds_jobs(folder)  # which csrgan evaluate scores with one command
    first = next(iter(trained))
    checkpoint, place = (folder, together) if swept else (first, f"{together}/{first.name}")
    shared = reduce(and_, (dict.fromkeys(job.words).keys() for job in trained.values()))
    words = [word for word in trained[first].words if word in shared and word.startswith((*OF_PICTURES, "data.train="))]
    if not any(word.startswith("data.valid=") and word.endswith("%") for word in words):  # only a share is of data.train
        words = [word for word in words if not word.startswith("data.train=")]
    command = ["evaluate", f"checkpoint={relative(checkpoint)}", f"degradation={PROTOCOL}", *words, f"run_dir={place}"]
    return (
        f"To compare all networks, score them on one protocol, such as {PROTOCOL}: “{announced.command(*command)}”"
        f"{'' if swept else ' and so for each run'}, then “{announced.command('report', together)}”."
    )


def _asked(settings: Settings, read: list[Job]) -> page.Asked:
    """Return what the user asks for. Raises UserError for a score, a baseline, a font or a label that there is not."""
    baseline, scores = settings["baseline"], settings["scores"] or []
    baseline = " ".join(map(plain_number, baseline.split(" "))) if baseline else baseline
    scores = [scores] if isinstance(scores, str) else list(scores)
    for key, score in (("score", settings["score"]), *(("scores", each) for each in scores)):
        _examine(read, baseline, score, key)
    labels = settings["label"]
    known = look.known(read) if labels else ()
    chosen = look.checked(settings["width"], settings["font"], labels, known, plain_number)
    return page.Asked(baseline, settings["score"], settings["relevant"], settings["table"], scores, chosen, settings["reach"])


def _examine(read: list[Job], baseline: str | None, score: str, key: str) -> None:
    """Raise UserError for a score or a baseline that no complete job has. Before any is complete, none can be missed.

    key: the setting that asks for the score.
    """
    groups = grouped(read)
    if groups and score not in columns.present(read):
        raise UserError.unknown(key, score, columns.present(read))
    if baseline is None or not groups:
        return
    held, choices = [holds(group, baseline) for group in groups], {word for group in groups for word in group.settings}
    if not all(group.settings for group in groups):
        choices.add(PLAIN[0])
    listed = ", ".join(sorted(choices)) or "none, for all complete jobs have the same settings"
    if not any(held):
        waiting = sum(not job.rows and bool(baseline) and set(baseline.split()) <= set(job.words) for job in read)
        if waiting:
            jobs_have = "the job that has it is" if waiting == 1 else f"none of the {waiting} jobs that have it is"
            raise UserError(f"baseline={baseline}: {jobs_have} {'not ' * (waiting == 1)}complete. Of those that are: {listed}.")
        words = [word.strip() for word in baseline.split(",")]
        commas = len(words) > 1 and all("=" in word for word in words)
        require(not commas, f'baseline={baseline}: its words have blanks between them, not commas: baseline="{" ".join(words)}".')
        raise UserError.unknown("baseline", baseline, choices)
    require(len(groups) == 1 or not all(held), f"baseline={baseline}: every job has it; name one in which they differ: {listed}.")


def _job(folder: Path, name: str, score: str) -> Job:
    """Read the job of a folder. A job with damaged files is left out of the tables, and the page says why."""
    try:
        record = jobs.job(folder)
    except UserError as error:
        return Job(name, (), reason=str(error))
    result = Job(name, tuple(record["words"]), record["reason"] or record["status"], record["command"], seconds(record))
    if record["status"] != "complete":
        return result
    try:
        rows, metrics = jobs.rows(folder), jobs.table(folder / run_folder.METRICS)
        curve = _curve(metrics, "valid/gain_db" if score == "gain" else f"valid/{score}")
        return replace(
            result,
            reason="",
            seeded=origin.seeded(folder),
            rows=rows,
            curve=curve,
            clock=_clock(metrics, curve),
            diagnostics=_diagnostics(metrics),
            units=jobs.units(folder),
            costs=_costs(jobs.summary(folder)),
            pictures=sorted(
                file.parent for file in folder.glob(f"{run_folder.PICTURES}/*/{run_folder.RESTORED}") if _complete(file.parent)
            ),
        )
    except UserError as error:
        return replace(result, reason=str(error))


def _curve(metrics: jobs.Table, column: str) -> list[tuple[float, float]]:
    """Return images seen and the score at each evaluation, where the run recorded them."""
    return [(_number(row, "step"), _number(row, column)) for row in metrics if row.get(column) and row.get("step")]


def _clock(metrics: jobs.Table, curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the seconds of training and the score at each evaluation; empty if the run did not record the seconds. They are
    logged with training steps, between which the pace is taken to be even."""
    times = [(_number(row, "step"), _number(row, SECONDS)) for row in metrics if row.get(SECONDS) and row.get("step")]
    if not times:
        return []
    images, seconds = zip((0.0, 0.0), *times, strict=True)
    return [(float(np.interp(seen, images, seconds)), score) for seen, score in curve]


def _diagnostics(metrics: jobs.Table) -> dict[str, float]:
    """Return the mean over the run of each diagnostic that it logged."""
    names = [name for name in (metrics[0] if metrics else ()) if name.startswith(DIAGNOSTICS)]
    values = {name: [_number(row, name) for row in metrics if row[name]] for name in names}
    return {name: fmean(numbers) for name, numbers in values.items() if numbers}


def _number(row: Mapping[str, str], column: str) -> float:
    return jobs.number(row[column], f"{run_folder.METRICS}: {column}")


def _costs(summary: Mapping[str, float]) -> dict[str, float]:
    """Return the number of parameters, and those of COSTS that the run measured."""
    sizes = [summary[key] for key in summary if key.endswith("_parameters")]
    costs = {"parameters": float(sum(sizes))} if any(sizes) else {}
    return costs | {name: summary[key] / unit for key, (name, unit) in COSTS.items() if summary.get(key, 0) > 0}


def _complete(folder: Path) -> bool:
    """Return whether the folder holds S, L and H, each a readable picture."""
    try:
        return all(min(picture.size(folder / name)) > 0 for name in (run_folder.RESTORED, run_folder.LOW, run_folder.SHARP))
    except UserError:
        return False
