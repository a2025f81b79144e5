"""A job of csrgan train -m, and the table of a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from csrgan import ranks
from csrgan.config import announced
from csrgan.config.paths import restart_words
from csrgan.config.resume import same_start
from csrgan.console import Console
from csrgan.errors import UserError, require
from csrgan.files import relative
from csrgan.run_folder import JOB, OUTPUT, REFUSED
from csrgan.runs import process, record, watchdog
from csrgan.tree import Settings
from csrgan.workflow import hydra_sweep, sweep_plan


def run(config: DictConfig) -> float | None:
    """Run the job of this configuration unless it is complete, and write job.json. Return the gain in dB; None if it failed."""
    own = ranks.own()
    require(own.world == 1, f"a sweep starts its own processes: start csrgan train -m once, and not through {own.started_by}.")
    watchdog.watch()
    hydra = cast(DictConfig, HydraConfig.get())
    words = [word for word in restart_words(hydra.overrides.task) if not word.startswith("run_dir=")]
    place = sweep_plan.published().folder(Path(config.run_dir), int(hydra.job.num))
    folder = record.folder_of(place, words, hydra_sweep.guided(hydra))
    if any(folder.parent.glob(f"*/{REFUSED}")):  # a changed sweep starts nothing more in this run_dir
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / OUTPUT).open("a", encoding="utf-8") as lock:
        if not process.locked(lock):
            _report_job(folder, "another sweep is running it")
            return None
        job = record.read(folder)
        if job and not same_start(job["words"], words):
            (folder / REFUSED).write_text(sweep_plan.other_job(folder, job["words"], words), encoding="utf-8")
            return None
        if job and job["status"] == "complete":
            _report_job(folder, f"{record.gain(folder)}  (complete before)")
            return record.gain_db(folder)
        job = _trained(folder, job["words"] if job else words, job, hydra)  # equal numbers stay as they were written first
    complete = job["status"] == "complete"
    _report_job(folder, record.gain(folder) if complete else record.ending(job))
    if rest := sweep_plan.published().rest(folder.parent, hydra_sweep.together(hydra)):
        Console().print(rest, highlight=False, markup=False, soft_wrap=True)
    return record.gain_db(folder) if complete else None


def _trained(folder: Path, words: list[str], job: Settings | None, hydra: DictConfig) -> Settings:
    """Run the job, from its last save if it was stopped, and return its job.json."""
    plan = sweep_plan.published()
    with hydra_sweep.turn(hydra):
        resume = process.prepare_resume(folder, job)
        position = f"{plan.position(int(hydra.job.num))} {'goes on' if resume else 'begins'}"
        _report_job(folder, ": ".join(filter(None, (position, plan.own(words)))))
        before = job["seconds"] if job and resume else 0.0
        return process.run(folder, words, hydra_sweep.cores(hydra), resume, before, show=partial(_report_job, folder))


def _report_job(folder: Path, outcome: str) -> None:
    Console().print(f"{relative(folder)}  {outcome}", highlight=False, markup=False, soft_wrap=True)


def report(folder: Path, again: str) -> int:
    """Print a table of the jobs that this command asks for, with the settings in which they differ. Return exit status 1 if one of
    them is not complete: others, which an earlier command with more values has left in the folder, are only mentioned.

    again: how to name the command that runs what is missing.
    Raises UserError if jobs were refused.
    """
    refusals = sorted(folder.glob(f"*/{REFUSED}"))
    sentences = [file.read_text(encoding="utf-8") for file in refusals]
    for file in refusals:
        file.unlink()
    if sentences:
        raise UserError(*sentences)
    files = sorted(folder.glob(f"*/{JOB}"), key=lambda file: (len(file.parent.name), file.parent.name))
    every = {file.parent: job for file in files if (job := record.read(file.parent))}
    jobs = {path: job for path, job in every.items() if sweep_plan.published().asks_for(path)}
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
    failed = _incomplete(jobs)
    said = [f"{relative(path)} {record.ending(job)}" for path, job in failed.items()]
    said += [_failures(Counter(job["status"] for job in failed.values()), len(jobs), again)] if failed else []
    said += _left({path: job for path, job in every.items() if path not in jobs})
    for sentence in said:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if any(job["status"] == "complete" for job in every.values()):
        console.print(f"its page: {announced.command('report', relative(folder))}", highlight=False, markup=False, soft_wrap=True)
    return 1 if failed else 0


def _incomplete(jobs: Mapping[Path, Settings]) -> dict[Path, Settings]:
    return {path: job for path, job in jobs.items() if job["status"] != "complete"}


def _left(jobs: Mapping[Path, Settings]) -> list[str]:
    """Return sentences on jobs that this command does not ask for: those that are complete, and those that are not."""
    incomplete = _incomplete(jobs)
    complete = ", ".join(path.name for path in jobs if path not in incomplete)
    named = ", ".join(f"{path.name} ({record.outcome(job)})" for path, job in incomplete.items())
    said = {"Complete": complete, "Also not complete": named}
    return [f"{what}, but not among the values of this command: {names}." for what, names in said.items() if names]


def _failures(counts: Counter[str], jobs: int, again: str) -> str:
    """Return a sentence on how many of the jobs are not complete, and how to go on. counts: by their status. again: see
    `report`."""
    several, (first, *others) = counts.total() > 1, counts
    those, their, were = ("those", "their", "were") if several else ("that one", "its", "was")
    endings = {"running": f"{'are' if several else 'is'} still running", "failed": "failed"}
    ended = endings.get(first, f"{were} {first}")
    if others:
        ended = f"are not complete ({', '.join(f'{count} {status}' for status, count in counts.items())})"
    if set(counts) == {"running"}:
        return f"{counts.total()} of {jobs} jobs {ended}, by another command."
    saved = f", from {their} last save" if set(counts) <= {"killed", "stopped"} else ""
    return f"{counts.total()} of {jobs} jobs {ended}; {again} runs only {those}{saved}."
