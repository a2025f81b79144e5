"""Ends a process when its sweep ends, whatever ended that: Ctrl-C, a signal, a crash.

`python -m csrgan.runs.watchdog train ...` is `csrgan train ...` under this watch.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache
from importlib import import_module

SWEEP = "CSRGAN_SWEEP"  # environment variable: the id of the process that started the sweep, if it is on this machine


def lead(here: bool) -> None:
    """Make the processes started from now on end with this one. here: whether all of them are on this machine."""
    if here:
        os.environ[SWEEP] = str(os.getpid())
    else:
        os.environ.pop(SWEEP, None)


@cache
def watch() -> None:
    """Start a thread that watches the parent process and the process that started the sweep, and ends this one with them."""
    _parent()

    def poll() -> None:
        while True:
            end_with_sweep()
            time.sleep(0.5)

    if os.environ.get(SWEEP) != str(os.getpid()):
        threading.Thread(target=poll, daemon=True).start()


def end_with_sweep() -> None:
    """Kill this process at once, before it writes anything more, if its parent or its sweep has ended."""
    sweep = int(os.environ.get(SWEEP, _parent()))
    if sweep != os.getpid() and (os.getppid() != _parent() or not _runs(sweep)):
        os.kill(os.getpid(), signal.SIGKILL)


@cache
def _parent() -> int:
    return os.getppid()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    watch()
    raise SystemExit(import_module("csrgan.cli").main())  # imported by name, because cli is above runs
