"""csrgan evaluate: the rows, tables and panels of a checkpoint, or of every job of a sweep, over the frozen grid."""

from __future__ import annotations

import copy
import json
import shlex
import shutil
import time
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from csrgan import run_folder
from csrgan.api import own
from csrgan.api.evaluation import evaluated
from csrgan.callbacks.progress import PerImageProgress
from csrgan.callbacks.scores import Scores
from csrgan.config.build import as_yaml, build
from csrgan.config.paths import encoded, restart_words
from csrgan.console import Console, quiet
from csrgan.data.module import Photographs
from csrgan.errors import UserError, require
from csrgan.files import relative, write
from csrgan.loggers.recording import log_results, recording
from csrgan.reports import table
from csrgan.runs import jobs, record
from csrgan.workflow.conclusion import conclude
from csrgan.workflow.description import with_choices
from csrgan.workflow.trained import chosen


def run(config: DictConfig) -> float | int:
    """Score, and leave results.csv, summary.json, config.yaml and panels in the run folder.

    Returns the gain in dB; of a sweep exit status 0, with a folder for each job, for csrgan report.
    """
    quiet()
    own.metrics()
    source, folder = Path(str(config.checkpoint)), Path(config.run_dir)
    trained = (folder / run_folder.CHECKPOINTS).is_dir()
    require(not trained, f"run_dir={folder} holds a training, whose results would be overwritten: choose another run_dir.")
    files = (
        sorted(source.glob(f"**/{run_folder.JOB}")) if source.is_dir() and not (source / run_folder.CHECKPOINTS).is_dir() else []
    )
    if not files:
        return _score(config, config.checkpoint, folder, Console())
    for done, job in enumerate(files, start=1):
        place = job.parent.relative_to(source)
        told = _score_job(config, job, folder / place)
        Console().print(f"{done}/{len(files)}  {place}  {told}", highlight=False, markup=False, soft_wrap=True)
    Console().print(f"csrgan report {shlex.quote(relative(folder))}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _score_job(config: DictConfig, job: Path, folder: Path) -> str:
    """Score one job of a sweep unless it is done; it keeps what was said of its training, and its settings gain those of the
    evaluation."""
    held = dict(jobs.job(job.parent))
    words = [word for word in restart_words(HydraConfig.get().overrides.task) if not word.startswith(("checkpoint=", "run_dir="))]
    held["words"] += words
    with suppress(UserError):  # a damaged one is not done
        if jobs.job(folder) == held:
            return "done before"
    folder.mkdir(parents=True, exist_ok=True)
    sentence = f"failed: {held['reason']}"
    if held["status"] == "complete":
        own = copy.deepcopy(config)
        own.run_dir = encoded(str(folder))
        sentence = f"{_score(own, str(job.parent), folder, Console(quiet=True)):+.2f} dB"
        if (job.parent / run_folder.METRICS).is_file():
            shutil.copy(job.parent / run_folder.METRICS, folder / run_folder.METRICS)
    record.write(folder, held)
    return sentence


def _score(config: DictConfig, checkpoint: str | None, folder: Path, console: Console) -> float:
    system, settings = chosen(config, checkpoint)
    if settings["oracle"]:
        system.restorer.use_oracle(settings["oracle"])
    data: Photographs = build(settings["data"], "data")
    if refused := data.examine(console, train=False):
        console.print(table.refused(refused))
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / run_folder.CONFIG, as_yaml(settings))
    words = [word for word in restart_words(HydraConfig.get().overrides.task) if not word.startswith("run_dir=")]
    write(folder / run_folder.OVERRIDES, json.dumps(words))  # for csrgan report
    scores = Scores(folder, settings["panels"])
    system.restorer.console = console
    began = time.monotonic()
    with recording(with_choices(settings), folder, build) as loggers:
        found = evaluated(
            system,
            data,
            settings["device"],
            [scores, PerImageProgress(console)] if system.restorer.per_picture else [scores],
            logger=loggers,
            default_root_dir=folder,
            enable_progress_bar=console.is_terminal and not console.quiet and not system.restorer.per_picture,
        )
        seconds = {"seconds": time.monotonic() - began, "seconds_restore": scores.seconds}
        summary = found.summary | {"images_seen": system.images_seen, **seconds}
        log_results(loggers, found.rows, summary)
    conclude(console, summary, found.rows, folder, system.restorer.prior.units)
    return float(summary["gain_db"])
