"""A job of a sweep in its own process, so that one that fails or is killed neither stops nor hides the others."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from csrgan.config import search
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, OUTPUT
from csrgan.runs import record, watchdog
from csrgan.runs.record import STOPPED
from csrgan.tree import Settings

EVERY = 60.0  # seconds between the lines that a sweep prints about a job
PROGRESS = re.compile(r"\d s left")  # in a line on the progress of a training, or of its evaluation
KILLED = "ended by "  # beginning of the reason of a job that a signal ended


def run(
    folder: Path, words: list[str], cores: int | None, resume: bool, before: float = 0.0, *, show: Callable[[str], None]
) -> Settings:
    """Train in this folder, write job.json and return its contents.

    cores: how many the job may use; None: all. before: seconds that the part before a resume took. show: is given the job's last
    word on its progress every EVERY seconds, if it is a new one.
    """
    sweeps = any(word.startswith(("sweep=", "experiment=")) for word in words)
    single = ["hydra.mode=RUN"] if sweeps else []  # one run with the settings of the sweep or experiment
    command = ["train", *words, *single, f"run_dir={folder}"]
    own = [f"{search.FLAG}{relative(path)}" for path in search.named()]
    sentence = shlex.join(["csrgan", "train", *own, *words, *single, f"run_dir={relative(folder)}"])
    command += [f"resume={folder}"] if resume else []
    job: Settings = {"words": words, "command": sentence}
    threads = {} if cores is None or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(cores)}
    began = time.monotonic()
    with (folder / OUTPUT).open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "csrgan.runs.watchdog", str(folder), *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **threads},
        )
        try:
            record.begin(folder, job, process.pid, before)
            status, told = None, ""
            while status is None:
                try:
                    status = process.wait(EVERY)
                except subprocess.TimeoutExpired:
                    if (word := progress(folder / OUTPUT)) != told:
                        show(told := word)
        except BaseException as cause:
            process.kill()
            process.wait()
            by = "by Ctrl-C" if isinstance(cause, KeyboardInterrupt) else f"its sweep failed ({type(cause).__name__})"
            record.stop(folder, f"{STOPPED}{by}")
            raise
    watchdog.end_with_sweep()  # a job that ended because its sweep did has not failed
    reason = _reason(status, folder / OUTPUT)
    outcome = "killed" if status < 0 else "stopped" if reason.startswith(STOPPED) else "failed" if status else "complete"
    job |= {"status": outcome, "reason": reason}
    job["seconds"] = round(before + time.monotonic() - began, 1)
    record.write(folder, job)
    return job


def progress(output: Path) -> str:
    """Return the last line of a job's output that says how much is left."""
    lines = output.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if PROGRESS.search(line)), "is starting")


def prepare_resume(folder: Path, job: Settings | None) -> bool:
    """Return whether to resume the job from a checkpoint, because it was stopped or killed. Delete those of a job that failed."""
    checkpoints = folder / CHECKPOINTS
    if not any(checkpoints.glob("*.ckpt")):
        return False
    stopped = job is not None and (job["status"] == "running" or job["reason"].startswith((KILLED, STOPPED)))
    if not stopped:
        shutil.rmtree(checkpoints)
    return stopped


def _reason(status: int, output: Path) -> str:
    """Return why a job failed: the signal that ended it, or the last line that it wrote."""
    if status == 0:
        return ""
    if status < 0:
        name = signal.Signals(-status).name
        return f"{KILLED}{name}" + (", perhaps because memory ran out" if -status == signal.SIGKILL else "")
    lines = [line.strip() for line in output.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    return lines[-1].removeprefix("csrgan train: ") if lines else f"exit status {status}"


def locked(file: IO[str]) -> bool:
    """Lock the file, and return whether that succeeded. The lock ends when the process closes the file or ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
