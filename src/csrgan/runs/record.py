"""job.json: the outcome of a job, which its sweep writes and reads again.

While the job runs, it also holds its process, as `pid` and `host`, and when it began, in seconds since 1970; `seconds` is then the
time that earlier starts have taken.
"""

from __future__ import annotations

import json
import math
import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from csrgan import files
from csrgan.config.old_names import translate_silently
from csrgan.errors import UserError
from csrgan.run_folder import DUE, JOB, OUTPUT, SUMMARY
from csrgan.tree import Settings

STOPPED = "stopped; "  # beginning of the reason of a job that was stopped
GONE = f"{STOPPED}its process is gone: it ended with its sweep or machine"
ENDED = ("Z", "X")  # states of a process in /proc
OF_PROCESS = ("pid", "host", "began")  # keys of a running job


def read(folder: Path) -> Settings | None:
    """Return the outcome of this job from an earlier start of the sweep, as `current` has it; None if there was none. Raises
    UserError for a damaged file."""
    if not (folder / JOB).is_file():
        return None
    try:
        content: Settings = json.loads((folder / JOB).read_text(encoding="utf-8"))
        return current(folder, content | {"words": translate_silently(content["words"])})
    except (ValueError, KeyError, TypeError) as reason:
        raise UserError(f"{folder / JOB} is damaged ({type(reason).__name__}): remove its folder to run the job anew.") from reason


def write(folder: Path, job: Settings) -> None:
    files.write_json(folder / JOB, job)


def write_due(folder: Path, jobs: int, named: Mapping[str, Sequence[str]]) -> None:
    """Write the jobs that are due into their sweep's folder, for those who look at it before all have begun. jobs: their number.
    named: the words of each by the name of its folder, as far as they are known."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / DUE, {"jobs": jobs, "folders": {name: list(words) for name, words in named.items()}})


def begin(folder: Path, job: Settings, pid: int, seconds: float) -> None:
    """Write that the job runs. pid: its process on this machine. seconds: that earlier starts have taken."""
    host = socket.gethostname()
    running = {"status": "running", "reason": f"running as process {pid} on {host}", "seconds": round(seconds, 1)}
    write(folder, {**job, **running, "pid": pid, "host": host, "began": round(time.time(), 1)})


def stop(folder: Path, reason: str) -> None:
    """Write that a running job was stopped. reason: begins with STOPPED."""
    with suppress(OSError, ValueError):
        content = json.loads((folder / JOB).read_text(encoding="utf-8"))
        if content["status"] == "running":
            write(folder, _stopped(content, reason, time.time()))


def stop_gone(folder: Path, since: float) -> bool:
    """Write that a running job was stopped now, if its process, begun since this time on this machine, is gone. A launcher that
    ends kills its jobs' processes before these can write it themselves. Return whether the job had begun since and not ended: one
    whose process is not gone yet ends at once, see `watchdog`."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads((folder / JOB).read_text(encoding="utf-8"))
        ran = bool(content["began"] >= since and content["status"] == "running")
        if ran and current(folder, content) is not content:
            stop(folder, f"{STOPPED}its sweep ended")
        return ran
    return False


def current(folder: Path, content: Settings) -> Settings:
    """Return the contents of a job.json as they are true now: a running job whose process is gone was stopped, at the time of its
    last output."""
    pid, began = content.get("pid"), content.get("began")
    here = content.get("host") == socket.gethostname() and isinstance(began, int | float)
    if content.get("status") != "running" or not here or not isinstance(pid, int) or pid <= 0 or _runs_job(pid):
        return content
    last = 0.0
    with suppress(OSError):
        last = (folder / OUTPUT).stat().st_mtime
    return _stopped(content, GONE, last)


def _stopped(content: Settings, reason: str, end: float) -> Settings:
    rest = {key: value for key, value in content.items() if key not in OF_PROCESS}
    seconds = content["seconds"] + max(0.0, end - content.get("began", end))
    return {**rest, "status": "stopped", "reason": reason, "seconds": round(seconds, 1)}


def _runs_job(pid: int) -> bool:
    """Return whether the process runs a job. Where the system tells its command line, another program with its number is none."""
    if not runs(pid):
        return False
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"csrgan" in line


def runs(pid: int) -> bool:
    """Return whether there is a process with this number on this machine that has not ended. One that has ended keeps its number
    until its parent asks for its status, which in a container may be never."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] not in ENDED
    except (OSError, IndexError):  # no such system
        return True


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


def seconds(job: Settings) -> float:
    """Return how long a job has taken, up to now if it runs."""
    began = job.get("began")  # a stranger's file may hold anything
    return float(job["seconds"] + (max(0.0, time.time() - began) if isinstance(began, int | float) else 0.0))


def outcome(job: Settings) -> str:
    """Return how a job that is not complete ended, in a word, with the signal that killed it."""
    killed = re.match(r"ended by (SIG\w+)", job["reason"])
    return f"killed ({killed[1]})" if killed else str(job["status"])


def ending(job: Settings) -> str:
    """Return how a job that is not complete ended, and why; of one that runs, where."""
    return (
        str(job["reason"])
        if job["status"] == "running" or job["reason"].startswith(STOPPED)
        else f"{job['status']}: {job['reason']}"
    )


def gain(folder: Path) -> str:
    return f"{gain_db(folder):+z.2f} dB"
