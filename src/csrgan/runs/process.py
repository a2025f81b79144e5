"""A job of a sweep in its own process, so that one that fails or is killed neither stops nor hides the others."""

from __future__ import annotations

import fcntl
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from csrgan.config import announced
from csrgan.errors import ENDS_AT_ONCE, Terminated
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, OUTPUT
from csrgan.runs import record, watchdog
from csrgan.runs.record import STOPPED
from csrgan.tree import Settings

EVERY = 60.0  # seconds between the lines that a sweep prints about a job
PROGRESS = re.compile(r"\d s left")  # in a line on the progress of a training, or of its evaluation
PATIENCE = 30.0  # seconds that a job has to save after Ctrl-C
SIGNALLED = {128 + signal.SIGINT: "Ctrl-C", 128 + signal.SIGTERM: "SIGTERM"}  # by the exit status of a job that stopped for one
GOES_ON = "csrgan train: goes on at "  # in the output of a job, before that of a later start
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
    sentence = announced.command("train", *words, *single, f"run_dir={relative(folder)}")
    command += [f"resume={folder}"] if resume else []
    job: Settings = {"words": words, "command": sentence}
    threads = {} if cores is None or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(cores)}
    began, interrupted = time.monotonic(), None
    with (folder / OUTPUT).open("a" if resume else "w", encoding="utf-8") as output:
        start = output.tell()
        if start:
            print(f"{GOES_ON}{time.strftime('%Y-%m-%d %H:%M:%S')}", file=output, flush=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "csrgan.runs.watchdog", str(folder), *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**watchdog.child(), **threads},
            process_group=0,  # a terminal's Ctrl-C comes to the sweep alone, which passes it on once
        )
        try:
            record.begin(folder, job, process.pid, before)
            status, told = None, ""
            while status is None:
                try:
                    status = process.wait(EVERY)
                except subprocess.TimeoutExpired:
                    if (word := progress(folder / OUTPUT, start)) != told:
                        show(told := word)
        except KeyboardInterrupt as stop:
            interrupted, status = stop, _after_ctrl_c(process, show)
        except BaseException as cause:
            _killed(process)
            record.stop(folder, f"{STOPPED}its sweep failed ({type(cause).__name__})")
            raise
    watchdog.end_with_sweep()  # a job that ended because its sweep did has not failed
    reason = _reason(status, folder / OUTPUT, start)
    if interrupted and status and not reason.startswith(STOPPED):
        reason = f"{STOPPED}by {'SIGTERM' if isinstance(interrupted, Terminated) else 'Ctrl-C'}"
    outcome = "stopped" if reason.startswith(STOPPED) else "killed" if status < 0 else "failed" if status else "complete"
    job |= {"status": outcome, "reason": reason}
    job["seconds"] = round(before + time.monotonic() - began, 1)
    record.write(folder, job)
    if interrupted:
        show(record.ending(job) if status else "complete")
        raise interrupted
    return job


def _after_ctrl_c(process: subprocess.Popen[bytes], show: Callable[[str], None]) -> int:
    """Let a job save after Ctrl-C or SIGTERM, and return its exit status. A second one ends it at once."""
    status = None
    with suppress(KeyboardInterrupt, ProcessLookupError):
        show(f"is saving, for at most {PATIENCE:.0f} s; {ENDS_AT_ONCE}")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: with the processes that it started
        status = _ended(process, PATIENCE)
    return _killed(process) if status is None else status


def _killed(process: subprocess.Popen[bytes]) -> int:
    process.kill()
    status = _ended(process, math.inf)
    assert status is not None
    return status


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the exit status of a job; None if it does not end in time. An exception may have left Popen's own wait locked."""
    end = time.monotonic() + seconds
    while process.returncode is None and time.monotonic() < end:
        try:
            pid, status = os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:  # its status was lost when the wait for it was interrupted
            process.returncode = -signal.SIGINT
            break
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.05)
    return process.returncode


def progress(output: Path, start: int) -> str:
    """Return the last line of a job's output that says how much is left. start: where the output of this start begins."""
    lines = _lines(output, start)
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


def _lines(output: Path, start: int) -> list[str]:
    return output.read_bytes()[start:].decode("utf-8", "replace").split("\n")


def _reason(status: int, output: Path, start: int) -> str:
    """Return why a job failed: the signal that ended it, or the last line that it wrote. One that stopped for a signal begins with
    STOPPED, also if its last line does not tell of the stop, as after a second signal."""
    if status == 0:
        return ""
    if status < 0:
        name = signal.Signals(-status).name
        return f"{KILLED}{name}" + (", perhaps because memory ran out" if -status == signal.SIGKILL else "")
    lines = [line.strip() for line in _lines(output, start) if line.strip() and not line.startswith(GOES_ON)]
    reason = lines[-1].removeprefix("csrgan train: ") if lines else f"exit status {status}"
    return f"{STOPPED}by {SIGNALLED[status]}" if status in SIGNALLED and not reason.startswith(STOPPED) else reason


def locked(file: IO[str]) -> bool:
    """Lock the file, and return whether that succeeded. The lock ends when the process closes the file or ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
