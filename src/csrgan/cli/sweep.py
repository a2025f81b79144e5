"""A job of csrgan train -m, and the table of a sweep."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from csrgan.config.paths import restart_words
from csrgan.console import Console
from csrgan.errors import UserError
from csrgan.files import relative
from csrgan.run_folder import JOB, OUTPUT, REFUSED
from csrgan.runs import process, record, watchdog
from csrgan.workflow import hydra_sweep


def run(config: DictConfig) -> float | None:
    """Run the job of this configuration unless it is complete, and write job.json. Return the gain in dB; None if it failed."""
    watchdog.watch()
    hydra = cast(DictConfig, HydraConfig.get())
    words = [word for word in restart_words(hydra.overrides.task) if not word.startswith("run_dir=")]
    folder = record.folder_of(Path(config.run_dir), words, hydra_sweep.guided(hydra))
    if any(folder.parent.glob(f"*/{REFUSED}")):  # a changed sweep starts nothing more in this run_dir
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / OUTPUT).open("a", encoding="utf-8") as lock:
        if not process.locked(lock):
            _report_job(folder, "another sweep is running it")
            return None
        job = record.read(folder)
        if job and job["words"] != words:
            there, here = (" ".join(word for word in one if word not in two) for one, two in permutations((job["words"], words)))
            sentence = f"{relative(folder)} holds another job ({there} there, {here} here): give the changed sweep its own run_dir."
            (folder / REFUSED).write_text(sentence, encoding="utf-8")
            return None
        before = ""
        if job and job["status"] == "complete":
            before = "  (complete before)"
        else:
            with hydra_sweep.turn(hydra):
                job = process.run(folder, words, hydra_sweep.cores(hydra), process.prepare_resume(folder, job))
    if job["status"] != "complete":
        _report_job(folder, f"{job['status']}: {job['reason']}")
        return None
    _report_job(folder, record.gain(folder) + before)
    return record.gain_db(folder)


def _report_job(folder: Path, outcome: str) -> None:
    Console().print(f"{relative(folder)}  {outcome}", highlight=False, markup=False, soft_wrap=True)


def report(folder: Path) -> int:
    """Print a table of a sweep's jobs with the settings in which they differ. Return exit status 1 if a job failed.

    Raises UserError if jobs were refused.
    """
    refusals = sorted(folder.glob(f"*/{REFUSED}"))
    sentences = [file.read_text(encoding="utf-8") for file in refusals]
    for file in refusals:
        file.unlink()
    if sentences:
        raise UserError(*sentences)
    files = sorted(folder.glob(f"*/{JOB}"), key=lambda file: (len(file.parent.name), file.parent.name))
    jobs = {file.parent: json.loads(file.read_text(encoding="utf-8")) for file in files}
    shared = set.intersection(*(set(job["words"]) for job in jobs.values())) if len(jobs) > 1 else set()
    table = Table(title=escape(relative(folder)), title_justify="left")
    for heading in ("job", "settings", "gain", "seconds"):
        table.add_column(heading, justify="right" if heading in ("gain", "seconds") else "left", overflow="fold")
    for path, job in jobs.items():
        outcome = record.gain(path) if job["status"] == "complete" else record.outcome(job)
        table.add_row(
            path.name, escape(" ".join(word for word in job["words"] if word not in shared)), outcome, f"{job['seconds']:.0f}"
        )
    console = Console()
    console.print(table)
    failed = {path: job["reason"] for path, job in jobs.items() if job["status"] != "complete"}
    for path, reason in failed.items():
        console.print(f"{relative(path)} {jobs[path]['status']}: {reason}", highlight=False, markup=False, soft_wrap=True)
    if failed:
        counts = Counter(jobs[path]["status"] for path in failed)
        listed = ", ".join(f"{count} {status}" for status, count in counts.items())
        how = next(iter(counts)) if len(counts) == 1 else f"are not complete ({listed})"
        sentence = f"{len(failed)} of {len(jobs)} jobs {how}; the same command runs only those, from their last save."
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if len(failed) < len(jobs):
        console.print(f"its page: csrgan report {relative(folder)}", highlight=False, markup=False, soft_wrap=True)
    return 1 if failed else 0
