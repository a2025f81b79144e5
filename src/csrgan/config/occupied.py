"""A run and a sweep never share a folder, nor do sweeps of two commands: their files would lie among each other's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from csrgan.config.resume import begun_by_training
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, DUE, JOB, OVERRIDES, SWEEP

WRITERS = {
    "train": "trainings",
    "evaluate": "evaluations",
}  # the commands that write into run_dir: what their sweeps hold
COMMAND = re.compile(r"^    config_name: (\w+)$", re.MULTILINE)  # in multirun.yaml

KEYS = {"words", "command", "status", "reason", "seconds"}  # of job.json


def occupied_faults(command: str, folder: Path, *, several: bool, scores: Path | None = None) -> Iterator[str]:
    """Yield a sentence if a sweep would begin in the folder of a run or an evaluation, one of these in that of a sweep, or a sweep
    in that of another command's.

    folder: run_dir. several: whether the command is a sweep. scores: what csrgan evaluate is to score; for the jobs of a sweep it
    writes a folder each, as a sweep does.
    """
    if command not in WRITERS:
        return
    place, jobs = f"run_dir={relative(folder)}", several or (scores is not None and holds_jobs(scores))
    if jobs and ((folder / OVERRIDES).is_file() or (folder / CHECKPOINTS).is_dir()):
        kind = "a run" if begun_by_training(folder) else "an evaluation"
        yield f"{place} holds {kind}, and a sweep would put its jobs among those files: give the sweep its own run_dir."
    elif not several and ((folder / SWEEP).is_file() or (not jobs and any(_jobs(folder)))):  # its own is of its sweep
        yield f"{place} holds a sweep, whose jobs this would mix with other files: give another run_dir."
    elif several and (other := _swept(folder)) in WRITERS and other != command:
        yield f"{place} holds a sweep of {WRITERS[other]}, and this one is of {WRITERS[command]}: give it its own run_dir."


def holds_jobs(folder: Path) -> bool:
    """Return whether a folder is that of a sweep, or of several: jobs lie below it, and it is no run itself."""
    return folder.is_dir() and not (folder / CHECKPOINTS).is_dir() and any(folder.rglob(JOB))


def _jobs(folder: Path) -> Iterator[Path]:
    """Yield each job.json that a sweep in this folder or in one of its folders has written. Other programs may write one too."""
    files = (file for place in ("*", "*/*") for file in folder.glob(f"{place}/{JOB}"))
    return (file for file in files if (file.parent.parent / DUE).is_file() or _is_job(file))


def _is_job(file: Path) -> bool:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.keys() >= KEYS


def _swept(folder: Path) -> str:
    """Return the command whose sweep a folder holds; empty if there is none, or its multirun.yaml does not say."""
    text = (folder / SWEEP).read_text(encoding="utf-8", errors="replace") if (folder / SWEEP).is_file() else ""
    found = COMMAND.search(text)
    return found[1] if found else ""
