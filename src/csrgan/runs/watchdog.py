"""Ends a process when its sweep ends, whatever ended that: Ctrl-C, a signal, a crash.

`python -m csrgan.runs.watchdog FOLDER train ...` is `csrgan train ...` under this watch, as the job of this folder.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import cache
from importlib import import_module
from pathlib import Path

from csrgan.runs import record

SWEEP = "CSRGAN_SWEEP"  # environment variable: the id of the process that started the sweep, if it is on this machine
PARENT = "CSRGAN_PARENT"  # of the process that started this one, which may be gone before this one can ask


def lead(here: bool) -> None:
    """Make the processes started from now on end with this one. here: whether all of them are on this machine."""
    if here:
        os.environ[SWEEP] = str(os.getpid())
    else:
        os.environ.pop(SWEEP, None)


@cache
def watch(job: Path | None = None) -> None:
    """Start a thread that watches the parent process and the process that started the sweep, and ends this one with them.

    job: the folder of the job that this process is.
    """
    _parent()

    def poll() -> None:
        while True:
            end_with_sweep(job)
            time.sleep(0.5)

    if os.environ.get(SWEEP) != str(os.getpid()):
        threading.Thread(target=poll, daemon=True).start()


def end_with_sweep(job: Path | None = None) -> None:
    """Kill this process at once if its parent or its sweep has ended. All that it still writes is that its job was stopped."""
    sweep = int(os.environ.get(SWEEP, _parent()))
    if sweep != os.getpid() and (os.getppid() != _parent() or not record.runs(sweep)):
        if job:
            record.stop(job, f"{record.STOPPED}its sweep ended")
        os.kill(os.getpid(), signal.SIGKILL)


@cache
def _parent() -> int:
    return int(os.environ.pop(PARENT, os.getppid()))  # popped: processes that this one starts have another parent


def child() -> dict[str, str]:
    """Return the environment of a process that is to end with this one."""
    return {**os.environ, PARENT: str(os.getpid())}


if __name__ == "__main__":
    watch(Path(sys.argv.pop(1)))
    raise SystemExit(import_module("csrgan.cli").main())  # imported by name, because cli is above runs
