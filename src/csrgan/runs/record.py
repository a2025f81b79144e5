"""job.json: the outcome of a job, which its sweep writes and reads again."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from csrgan import files
from csrgan.config.old_names import translate_silently
from csrgan.run_folder import JOB, SUMMARY
from csrgan.tree import Settings


def read(folder: Path) -> Settings | None:
    """Return the outcome of this job from an earlier start of the sweep; None if there was none."""
    if not (folder / JOB).is_file():
        return None
    content: Settings = json.loads((folder / JOB).read_text(encoding="utf-8"))
    return content | {"words": translate_silently(content["words"])}


def write(folder: Path, job: Settings) -> None:
    files.write_json(folder / JOB, job)


def folder_of(folder: Path, words: list[str], guided: bool) -> Path:
    """Return the job's folder. If a guided search tries other words at a second start, they get a folder beside the first."""
    free, turn = folder, 1
    while guided and (job := read(free)) and job["words"] != words:
        turn += 1
        free = folder.with_name(f"{folder.name}.{turn}")
    return free


def gain_db(folder: Path) -> float:
    """Return the gain of S over L in dB; nan if summary.json has null, because S was not finite."""
    value = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["gain_db"]
    return math.nan if value is None else float(value)


def outcome(job: Settings) -> str:
    """Return how a job that is not complete ended, in a word, with the signal that killed it."""
    killed = re.match(r"ended by (SIG\w+)", job["reason"])
    return f"killed ({killed[1]})" if killed else str(job["status"])


def gain(folder: Path) -> str:
    return f"{gain_db(folder):+z.2f} dB"
