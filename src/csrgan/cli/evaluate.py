"""csrgan evaluate: score a checkpoint, or every job of a sweep, over the fixed grid: rows, tables and panels."""

from __future__ import annotations

import copy
import shutil
import time
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from csrgan import run_folder
from csrgan.api import own as own_parts
from csrgan.api.evaluation import evaluated, try_own_metrics
from csrgan.callbacks.bar import Bar, Scoring
from csrgan.callbacks.progress import PerImageProgress
from csrgan.callbacks.scores import Scores
from csrgan.config import announced
from csrgan.config.build import build
from csrgan.config.occupied import holds_jobs
from csrgan.config.override import plain_number
from csrgan.config.paths import encoded, restart_words
from csrgan.console import Console, quiet
from csrgan.data.module import Photographs
from csrgan.errors import UserError
from csrgan.files import new_folder, relative
from csrgan.loggers.recording import log_results, recording
from csrgan.reports import table
from csrgan.rules import listed
from csrgan.runs import jobs, record
from csrgan.tree import Settings
from csrgan.workflow.conclusion import conclude
from csrgan.workflow.description import describe, require_same_start, with_choices
from csrgan.workflow.given_results import given_system
from csrgan.workflow.origin import method_of
from csrgan.workflow.trained import chosen


def run(config: DictConfig) -> float | int:
    """Score, and write results.csv, summary.json, config.yaml and panels into the run folder.

    Returns the gain in dB. A job of csrgan evaluate -m that was scored before is not scored again.
    Of a sweep, writes a folder for each job, which csrgan report reads, and returns exit status 0.
    """
    quiet()
    own_parts.register_metrics(listed(config.evaluation.metrics))
    source, folder = Path(str(config.checkpoint)), Path(config.run_dir)
    if not holds_jobs(source):
        require_same_start(folder, "evaluate")
        if HydraConfig.get().mode == RunMode.MULTIRUN and _is_scored(folder, config):
            sentence = f"{relative(folder)}  {record.gain(folder)}  (scored before; another run_dir scores it again)"
            Console().print(sentence, highlight=False, markup=False, soft_wrap=True)
            return record.gain_db(folder)
        return _score(config, config.checkpoint, folder, Console())
    files = [file for each in jobs.folders(source) if (file := each / run_folder.JOB).is_file()]
    for job in files:  # all of them before the first is scored
        require_same_start(folder / job.parent.relative_to(source), "evaluate")
    said = {job.parent.relative_to(source): _with_words(jobs.job(job.parent)) for job in files}
    for parent in dict.fromkeys(name.parent for name in said):
        due = {name.name: job["words"] for name, job in said.items() if name.parent == parent}
        record.write_due(folder / parent, len(due), due)
    for done, (name, job_record) in enumerate(said.items(), start=1):
        outcome = _score_job(config, source / name, job_record, folder / name)
        Console().print(f"{done}/{len(files)}  {name}  {outcome}", highlight=False, markup=False, soft_wrap=True)
    Console().print(
        f"compare the jobs with: {announced.command('report', relative(folder))}", highlight=False, markup=False, soft_wrap=True
    )
    return 0


def _is_scored(folder: Path, config: DictConfig) -> bool:
    """Return whether the folder has the scores of this checkpoint or these results, which have not been written since."""
    summary = folder / run_folder.SUMMARY
    with suppress(UserError):  # damaged scores are made again
        if "gain_db" in jobs.summary(folder):
            return _unchanged_since(summary.stat().st_mtime, config)
    return False


def _unchanged_since(moment: float, config: DictConfig) -> bool:
    """Return whether no file of the checkpoint or of the results was written after this moment, in seconds since 1970."""
    given = [Path(str(path)) for path in (config.checkpoint, config.results) if path is not None]
    files = [file for path in given for file in (path, *path.rglob("*"))]
    return all(file.stat().st_mtime <= moment for file in files if file.exists())


def _with_words(job: Settings) -> Settings:
    """Return what a job.json says about a training; its words gain those of the evaluation."""
    words = restart_words(HydraConfig.get().overrides.task)
    return {
        **job,
        "words": [*job["words"], *(plain_number(word) for word in words if not word.startswith(("checkpoint=", "run_dir=")))],
    }


def _score_job(config: DictConfig, job: Path, job_record: Settings, folder: Path) -> str:
    """Score one job of a sweep unless that is done, and return a word on the outcome.

    job: its folder. job_record: see `_with_words`; the job.json of the scores. folder: of the scores.
    """
    with suppress(UserError):  # a damaged job.json is not done
        if jobs.job(folder) == job_record:
            return "scored before"
    folder.mkdir(parents=True, exist_ok=True)
    sentence = f"{job_record['status']}: {job_record['reason']}"
    if job_record["status"] == "complete":
        job_config = copy.deepcopy(config)
        job_config.run_dir = encoded(str(folder))
        sentence = f"{_score(job_config, str(job), folder, Console(quiet=True)):+z.2f} dB"
        if (job / run_folder.METRICS).is_file():
            shutil.copy(job / run_folder.METRICS, folder / run_folder.METRICS)
    record.write(folder, job_record)
    return sentence


def _score(config: DictConfig, checkpoint: str | None, folder: Path, console: Console) -> float:
    """Score one system, write its files into the folder, and return the gain of S over L in dB."""
    system, settings = given_system(config, console) if config.results is not None else chosen(config, checkpoint)
    if settings["oracle"]:
        system.restorer.use_oracle(settings["oracle"])
    names = settings["published_as"]
    own, choice = settings.get("system") or system.recipe.get("system"), HydraConfig.get().runtime.choices.get("system")
    names["method"] = names["method"] or method_of(own, settings["oracle"], choice)
    data: Photographs = build(settings["data"], "data")
    if refused := data.examine(console, train=False):
        console.print(table.refused(refused))
    try_own_metrics(data, settings["device"])
    scores = Scores(folder, settings["panels"])
    system.restorer.console = console
    began = time.monotonic()
    with new_folder(folder), recording(with_choices(settings), folder, build) as loggers:
        describe(settings, folder)
        evaluation = evaluated(
            system,
            data,
            settings["device"],
            [scores, PerImageProgress(console) if system.restorer.per_picture else Scoring(Bar(Console()))],
            logger=loggers,
            default_root_dir=folder,
        )
        seconds = {"seconds": time.monotonic() - began, "seconds_restore": scores.seconds}
        summary = evaluation.summary | {"images_seen": system.images_seen, **seconds}
        log_results(loggers, evaluation.rows, summary)
    conclude(console, summary, evaluation.rows, folder, data.degradation.prior.units | system.restorer.prior.units)
    return float(summary["gain_db"])
