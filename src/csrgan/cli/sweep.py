"""A job of a sweep: a process of its own, so that one that fails or is killed neither stops nor hides the others."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write
from rich.markup import escape
from rich.table import Table

from csrgan import files
from csrgan.cli import tied
from csrgan.cli.console import Console
from csrgan.config.old_names import silently
from csrgan.config.paths import kept
from csrgan.fault import Fault
from csrgan.files import relative

FILE = "job.json"  # what became of a job
OUTPUT = "output.txt"  # what the job wrote; locked by whoever runs it
UNENDED = "has not ended: it is running, or was stopped with its sweep or machine"
REFUSED = "refused.txt"  # why a job was not even started; the process that started the sweep reads and removes it


class Remember(Callback):
    """Keeps the folder of the sweep that this process started; the jobs may run in others."""

    folder: Path | None = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        HydraConfig.instance().set_config(config)  # the default run_dir names the experiment, which Hydra tells through it
        Remember.folder = Path(config.hydra.sweep.dir)
        tied.lead(here=not str(config.hydra.launcher._target_).endswith("SlurmLauncher"))
        _settle(config.hydra)
        if _guided(config.hydra):
            import optuna

            optuna.logging.set_verbosity(logging.ERROR)  # its lines say less than the jobs' own
            logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Hydra keeps what every job returns until the last has ended: memory is not to grow by its copies of the configuration."""
        job_return.cfg = job_return.hydra_cfg = None

    @classmethod
    def taken(cls) -> Path | None:
        """The folder, once."""
        folder, cls.folder = cls.folder, None
        return folder


def _settle(hydra: DictConfig) -> None:
    """Defaults of sweepers and launchers that would not do here, where the user has not chosen."""
    given = {word.partition("=")[0] for word in hydra.overrides.hydra}
    with read_write(hydra):
        if _guided(hydra) and "hydra.sweeper.direction" not in given:
            hydra.sweeper.direction = "maximize"  # what a job returns is its gain
        if _guided(hydra) and "seed" in hydra.sweeper.sampler and hydra.sweeper.sampler.seed is None:
            hydra.sweeper.sampler.seed = 0  # a second start then makes the same trials, and finds those that are complete
        if _at_once(hydra) and "hydra.launcher.timeout_min" not in given:
            hydra.launcher.timeout_min = 60 * 24 * 365  # the wait for a turn counts


def _guided(hydra: DictConfig) -> bool:
    return "direction" in hydra.sweeper


def _at_once(hydra: DictConfig) -> bool:
    """Whether the launcher starts all jobs at once on this machine: submitit's local one does."""
    return str(hydra.launcher._target_).endswith("LocalLauncher")


def run(config: DictConfig) -> float | None:
    """Run the job of this configuration unless it is complete, and write job.json. Returns the gain in dB; None if it failed."""
    tied.tie()
    hydra = cast(DictConfig, HydraConfig.get())
    words = [word for word in kept(hydra.overrides.task) if not word.startswith("run_dir=")]
    folder = _folder(Path(config.run_dir), words, _guided(hydra))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / OUTPUT).open("a", encoding="utf-8") as lock:
        if not _locked(lock):
            _tell(folder, "is being run by another sweep")
            return None
        job = _held(folder)
        if job and job["words"] != words:
            other = " ".join(job["words"])
            sentence = f"{relative(folder)} holds another job ({other}): give the changed sweep a run_dir of its own."
            (folder / REFUSED).write_text(sentence, encoding="utf-8")
            return None
        if job is None or job["status"] != "complete":
            with _turn(hydra):
                job = _run(folder, words, _cores(hydra), _goes_on(folder, job))
    if job["status"] != "complete":
        _tell(folder, f"failed: {job['reason']}")
        return None
    _tell(folder, gain(folder))
    return gain_db(folder)


def _tell(folder: Path, told: str) -> None:
    Console().print(f"{relative(folder)}  {told}", highlight=False, markup=False, soft_wrap=True)


def _folder(folder: Path, words: list[str], guided: bool) -> Path:
    """The job's folder. A guided search may turn elsewhere at a second start; its trial then stands beside the first one's."""
    place, turn = folder, 1
    while guided and (job := _held(place)) and job["words"] != words:
        turn += 1
        place = folder.with_name(f"{folder.name}.{turn}")
    return place


def _held(folder: Path) -> dict[str, Any] | None:
    """What became of this job when the sweep was started before; None where it was not."""
    if not (folder / FILE).is_file():
        return None
    held: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return held | {"words": silently(held["words"])}


def _goes_on(folder: Path, job: dict[str, Any] | None) -> bool:
    """Whether the job has a checkpoint to go on from: it was stopped or killed. One that failed begins anew."""
    checkpoints = folder / "checkpoints"
    if not any(checkpoints.glob("*.ckpt")):
        return False
    stopped = job is not None and (job["status"] == "running" or job["reason"].startswith(("ended by ", "stopped; ")))
    if not stopped:
        shutil.rmtree(checkpoints)
    return stopped


def _run(folder: Path, words: list[str], cores: int | None, goes_on: bool) -> dict[str, Any]:
    sweeps = any(word.startswith(("sweep=", "experiment=")) for word in words)
    alone = ["hydra.mode=RUN"] if sweeps else []  # with its settings, but once
    command = ["train", *words, *alone, f"run_dir={folder}"]
    told = shlex.join(["csrgan", *command[:-1], f"run_dir={relative(folder)}"])
    command += [f"resume={folder}"] if goes_on else []
    job: dict[str, Any] = {"words": words, "command": told}
    _write(folder, {**job, "status": "running", "reason": UNENDED, "seconds": 0.0})
    threads = {} if cores is None or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(cores)}
    began = time.monotonic()
    with (folder / OUTPUT).open("w", encoding="utf-8") as output:
        status = subprocess.run(
            [sys.executable, "-m", "csrgan.cli.tied", *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **threads},
            check=False,
        ).returncode
    tied.heed()  # the job may have ended because its sweep did; that is no failure of its own
    job |= {"status": "failed" if status else "complete", "reason": _reason(status, folder / OUTPUT)}
    job["seconds"] = round(time.monotonic() - began, 1)
    _write(folder, job)
    return job


def _write(folder: Path, job: dict[str, Any]) -> None:
    files.write_json(folder / FILE, job)


def _cores(hydra: DictConfig) -> int | None:
    """The cores that a job may use; None where jobs run one after another and each has all of them."""
    if "n_jobs" in hydra.launcher:  # joblib, which counts negative numbers back from all cores
        cores, together = os.cpu_count() or 1, hydra.launcher.n_jobs
        return max(1, cores // max(1, together if together > 0 else cores + 1 + together))
    return (hydra.launcher.cpus_per_task or 1) if "cpus_per_task" in hydra.launcher else None


@contextmanager
def _turn(hydra: DictConfig) -> Iterator[None]:
    """Where all jobs are started at once, wait until there are cores for this one."""
    if not _at_once(hydra):
        yield
        return
    together = max(1, (os.cpu_count() or 1) // (_cores(hydra) or 1))
    with ExitStack() as stack:
        places = [stack.enter_context((Path(hydra.sweep.dir) / ".submitit" / f"turn{k}").open("w")) for k in range(together)]
        while not any(_locked(place) for place in places):
            time.sleep(0.5)
        yield


def _locked(file: IO[str]) -> bool:
    """Whether this process could lock the file; it is free again when the process closes it or ends in any way."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _reason(status: int, output: Path) -> str:
    """Why a job failed: the signal that ended it, or the last line that it wrote."""
    if status == 0:
        return ""
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    lines = [line.strip() for line in output.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    return lines[-1].removeprefix("csrgan train: ") if lines else f"exit status {status}"


def gain_db(folder: Path) -> float:
    """nan where summary.json has null, because the network's pictures were not finite."""
    found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["gain_db"]
    return math.nan if found is None else float(found)


def gain(folder: Path) -> str:
    return f"{gain_db(folder):+.2f} dB"


def report(folder: Path) -> int:
    """The table of a sweep, with the settings in which its jobs differ; exit status 1 where a job failed.

    Raises Fault where jobs were refused.
    """
    refusals = sorted(folder.glob(f"*/{REFUSED}"))
    sentences = [file.read_text(encoding="utf-8") for file in refusals]
    for file in refusals:
        file.unlink()
    if sentences:
        raise Fault(*sentences)
    files = sorted(folder.glob(f"*/{FILE}"), key=lambda file: (len(file.parent.name), file.parent.name))
    jobs = {file.parent: json.loads(file.read_text(encoding="utf-8")) for file in files}
    shared = set.intersection(*(set(job["words"]) for job in jobs.values())) if len(jobs) > 1 else set()
    table = Table(title=escape(relative(folder)), title_justify="left")
    for heading in ("job", "settings", "gain", "seconds"):
        table.add_column(heading, justify="right" if heading in ("gain", "seconds") else "left", overflow="fold")
    for place, job in jobs.items():
        told = gain(place) if job["status"] == "complete" else job["status"]
        table.add_row(
            place.name, escape(" ".join(word for word in job["words"] if word not in shared)), told, f"{job['seconds']:.0f}"
        )
    console = Console()
    console.print(table)
    failed = {place: job["reason"] for place, job in jobs.items() if job["status"] != "complete"}
    for place, reason in failed.items():
        console.print(f"{relative(place)} {jobs[place]['status']}: {reason}", highlight=False, markup=False, soft_wrap=True)
    if failed:
        told = f"{len(failed)} of {len(jobs)} jobs failed; the same command runs them again, and only them."
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    return 1 if failed else 0
