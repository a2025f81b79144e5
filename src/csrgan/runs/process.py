"""A job of a sweep as a process of its own, so that one that fails or is killed neither stops nor hides the others."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, OUTPUT
from csrgan.runs import record, watchdog

UNENDED = "has not ended: it is running, or was stopped with its sweep or machine"


def run(folder: Path, words: list[str], cores: int | None, goes_on: bool) -> dict[str, Any]:
    """Train in this folder, and write job.json. cores: how many the job may use; None: all. Returns what became of it."""
    sweeps = any(word.startswith(("sweep=", "experiment=")) for word in words)
    alone = ["hydra.mode=RUN"] if sweeps else []  # with its settings, but once
    command = ["train", *words, *alone, f"run_dir={folder}"]
    sentence = shlex.join(["csrgan", *command[:-1], f"run_dir={relative(folder)}"])
    command += [f"resume={folder}"] if goes_on else []
    job: dict[str, Any] = {"words": words, "command": sentence}
    record.write(folder, {**job, "status": "running", "reason": UNENDED, "seconds": 0.0})
    threads = {} if cores is None or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(cores)}
    began = time.monotonic()
    with (folder / OUTPUT).open("w", encoding="utf-8") as output:
        status = subprocess.run(
            [sys.executable, "-m", "csrgan.runs.watchdog", *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **threads},
            check=False,
        ).returncode
    watchdog.heed()  # the job may have ended because its sweep did; that is no failure of its own
    job |= {"status": "failed" if status else "complete", "reason": _reason(status, folder / OUTPUT)}
    job["seconds"] = round(time.monotonic() - began, 1)
    record.write(folder, job)
    return job


def goes_on(folder: Path, job: dict[str, Any] | None) -> bool:
    """Whether the job has a checkpoint to go on from: it was stopped or killed. One that failed begins anew."""
    checkpoints = folder / CHECKPOINTS
    if not any(checkpoints.glob("*.ckpt")):
        return False
    stopped = job is not None and (job["status"] == "running" or job["reason"].startswith(("ended by ", "stopped; ")))
    if not stopped:
        shutil.rmtree(checkpoints)
    return stopped


def _reason(status: int, output: Path) -> str:
    """Why a job failed: the signal that ended it, or the last line that it wrote."""
    if status == 0:
        return ""
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    lines = [line.strip() for line in output.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    return lines[-1].removeprefix("csrgan train: ") if lines else f"exit status {status}"


def locked(file: IO[str]) -> bool:
    """Whether this process could lock the file; it is free again when the process closes it or ends in any way."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
