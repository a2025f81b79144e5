"""A process that ends with the sweep it works for, whatever ended that: Ctrl-C, a signal, a crash.

`python -m csrgan.runs.watchdog train ...` is `csrgan train ...`, tied in this way.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache
from importlib import import_module

SWEEP = "CSRGAN_SWEEP"  # in the environment: the number of the process that started the sweep, where it is on this machine


def lead(here: bool) -> None:
    """Let the processes started from now on end with this one, if all of them are on this machine."""
    if here:
        os.environ[SWEEP] = str(os.getpid())
    else:
        os.environ.pop(SWEEP, None)


@cache
def tie() -> None:
    """Watch the process that started this one and the one that started the sweep, from a thread that ends with this process."""
    _parent()

    def watch() -> None:
        while True:
            heed()
            time.sleep(0.5)

    if os.environ.get(SWEEP) != str(os.getpid()):
        threading.Thread(target=watch, daemon=True).start()


def heed() -> None:
    """End this process at once if one that it works for has ended; whatever it was about to write is not written."""
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
    tie()
    raise SystemExit(import_module("csrgan.cli").main())  # by its name: the commands stand above this room
