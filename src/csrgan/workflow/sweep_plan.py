"""What a sweep is about to run: its jobs, known before the first begins, and how far it has come."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from heapq import heapify, heapreplace
from itertools import count
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from csrgan.config.paths import ENCODED, restart_words
from csrgan.config.resume import ONE_JOB, differing, original_words, start
from csrgan.errors import UserError
from csrgan.files import relative
from csrgan.run_folder import JOB, OVERRIDES
from csrgan.runs import record

RECENT = 3  # jobs
PLAN = "CSRGAN_SWEEP_PLAN"  # environment variable: the plan, for the processes that run the jobs


@dataclass(frozen=True)
class Plan:
    """jobs: their number; 0 if that is unknown. shared: words that all of them have. began: seconds since 1970.

    folders: names of the jobs' folders, by their numbers; where there is none, the number is the name.
    """

    jobs: int
    shared: list[str]
    began: float
    folders: list[str] = field(default_factory=list)

    def publish(self) -> None:
        """Make this the plan of all processes that are started from now on."""
        os.environ[PLAN] = json.dumps(asdict(self))

    def record(self, folder: Path, jobs: Sequence[Sequence[str]]) -> None:
        """Write the jobs that are due into the sweep's folder. jobs: the words of each, as far as they are known."""
        record.write_due(folder, self.jobs, dict(zip(self.folders, jobs, strict=False)))

    def position(self, number: int) -> str:
        """Return which job the one with this number is, counted from 0."""
        return f"{number + 1} of {self.jobs}" if self.jobs else f"job {number + 1}"

    def folder(self, numbered: Path, number: int) -> Path:
        """Return the folder of the job with this number. numbered: the one that Hydra has named by it."""
        return numbered.with_name(self.folders[number]) if self.folders else numbered

    def asks_for(self, folder: Path) -> bool:
        """Return whether a folder is that of a job of this sweep; where its jobs' folders are unknown, every folder is."""
        return not self.folders or folder.name in self.folders

    def own(self, words: Sequence[str]) -> str:
        """Return the words of a job that not all jobs have."""
        return " ".join(word for word in words if word not in self.shared)

    def rest(self, folder: Path, together: int | None) -> str:
        """Return a sentence on the time that the other jobs of this sweep will take; empty if that cannot be told.

        folder: of the sweep. together: jobs that run at a time; None: unknown. A job is taken to last as long as the median of the
        RECENT that this start has completed last, for these ran beside as many others, on a machine as busy as it is now; until
        there is one, as long as those that an earlier start has completed.
        """
        found = [(file.stat().st_mtime, record.read(file.parent)) for file in folder.glob(f"*/{JOB}") if self.asks_for(file.parent)]
        known = [(job, at >= self.began) for at, job in sorted(found, key=itemgetter(0)) if job]
        complete = [(job["seconds"], new) for job, new in known if job["status"] == "complete"]
        running = [record.seconds(job) for job, _ in known if job["status"] == "running"]
        ended = sum(job["status"] == "complete" or (job["status"] != "running" and new) for job, new in known)
        left = self.jobs - ended
        if not together or not complete or left < 1:
            return ""
        own = [seconds for seconds, new in complete if new]
        likely = own or [seconds for seconds, _ in complete]
        each = median(likely[-RECENT:])
        those = "those that this command has completed" if 0 < len(own) < len(complete) else "those that are complete"
        those = those if len(likely) <= RECENT else f"the last {RECENT} that are complete"
        rest = _until_all_end(each, running, waiting=left - len(running), together=together)
        others = "the last job, if it takes" if left == 1 else f"the other {left} jobs, if they take"
        return f"about {_duration(rest)} for {others} as long as {those}" if rest >= 1 else ""


def _until_all_end(each: float, running: Sequence[float], *, waiting: int, together: int) -> float:
    """Return the seconds until the last job ends. each: seconds of a job. running: seconds that those which run have taken.
    waiting: how many have not begun; each begins when another ends."""
    ends = [max(0.0, each - taken) for taken in running] + [0.0] * (together - len(running))
    heapify(ends)
    for _ in range(waiting):
        heapreplace(ends, ends[0] + each)
    return max(ends)


def published() -> Plan:
    """Return the plan of the sweep that started this process."""
    return Plan(**json.loads(os.environ.get(PLAN, '{"jobs": 0, "shared": [], "began": 0}')))


def plan(hydra: DictConfig) -> tuple[Plan, list[list[str]]]:
    """Return the plan of a sweep, and the words of each of its jobs; no words if the results of some decide on the others'."""
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    fixed = [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]
    given = cast(list[str], OmegaConf.to_container(hydra.overrides.task))
    overrides = parser.parse_overrides([*fixed, *given])
    if not str(hydra.sweeper._target_).endswith(f".{BasicSweeper.__name__}"):
        shared = _task_words([_line(override) for override in overrides if not override.is_sweep_override()])
        return Plan(int(hydra.sweeper.get("n_trials") or 0), shared, time.time()), []
    (lines,) = BasicSweeper.split_arguments(overrides, None)
    jobs = list(map(_task_words, lines))
    return Plan(len(jobs), [word for word in jobs[0] if all(word in job for job in jobs)], time.time()), jobs


def folders(folder: Path, jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return the name of each job's folder: a job that the sweep's folder holds already, under whatever number, keeps its own, and
    the others take free numbers. Return none if interpolations decide on the words.

    Raises UserError where new jobs would join those of another sweep.
    """
    if any("${" in word for words in jobs for word in words):
        return []
    numbered = sorted((path for path in folder.glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))
    there = {path.name: words for path in numbered if (words := _words_in(path)) is not None}
    known = {start(words): name for name, words in reversed(there.items())}
    free = (str(number) for number in count() if str(number) not in there)
    names = [known.get(start(words)) or next(free) for words in jobs]
    new = [number for number, name in enumerate(names) if name not in there]
    others = [name for name in there if int(name) < len(jobs) and name not in names]
    if new and others:
        more = f" So do {len(others) - 1} more of its folders." if len(others) > 2 else " So does one more of its folders."
        first = others[0]
        nearest = min(new, key=lambda number: (len(start(there[first]) ^ start(jobs[number])), number != int(first)))
        raise UserError(other_job(folder / first, there[first], jobs[nearest]) + more * (len(others) > 1))
    return names


def other_job(folder: Path, there: Sequence[str], here: Sequence[str]) -> str:
    """Return the sentence that refuses to run a job in the folder of another."""
    return (
        f"{relative(folder)} holds another job ({differing(there, here)}): give the changed sweep its own run_dir, or keep the old"
        " values in its lists, and it runs only what is new."
    )


def _words_in(folder: Path) -> list[str] | None:
    """Return the words of the job in this folder; None if it holds none."""
    job = record.read(folder)
    if job is None and not (folder / OVERRIDES).is_file():
        return None
    return list(job["words"]) if job else [word for word in original_words(folder) if word != ONE_JOB]


def _line(override: Override) -> str:
    """Return an override as Hydra's sweeper passes it on."""
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _task_words(lines: Sequence[str]) -> list[str]:
    """Return the words by which job.json knows a job."""
    own = [line for line in lines if not line.lstrip("+~").startswith(("hydra.", "hydra/"))]
    plain = [line if ENCODED.search(line) or "${" not in line else line.replace("${", "$ {") for line in own]
    words = [word.replace("$ {", "${") for word in restart_words(ListConfig(plain))]
    return [word for word in words if not word.startswith("run_dir=")]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
