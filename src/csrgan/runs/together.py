"""Starts the processes of one training on this machine, one for each device, and ends them together.

`python -m csrgan.runs.together train ...` is `csrgan train ...` as one of them. All but the first are silent.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from csrgan.errors import RunStopped, UserError
from csrgan.ranks import LOST, SAYS, STARTED_BY
from csrgan.runs import watchdog

GRACE = 10.0  # seconds that the first process has to end by itself after another one has failed


class Together:
    """The processes of one training. folder: for what they say."""

    def __init__(self, words: Sequence[str], count: int, folder: Path, *, quiet: bool) -> None:
        self.folder, self.signal = folder, 0
        self.processes = [self._start(words, rank, environment, quiet) for rank, environment in enumerate(environments(count))]

    def _start(self, words: Sequence[str], rank: int, environment: Mapping[str, str], quiet: bool) -> subprocess.Popen[bytes]:
        silent = rank > 0 or quiet
        with self._errors(rank).open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "csrgan.runs.together", *words],
                env={**watchdog.child(), **environment, SAYS: str(self._words(rank))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if silent else None,
                stderr=errors if rank > 0 else None,
                start_new_session=True,  # Ctrl-C in a terminal reaches this process alone, which passes it on once
            )

    def _words(self, rank: int) -> Path:
        return self.folder / f"words{rank}.txt"

    def _errors(self, rank: int) -> Path:
        return self.folder / f"errors{rank}.txt"

    def pass_on(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal: give it to all processes."""
        self.signal = number
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    def wait(self) -> None:
        """Return when all have ended. Once one fails, or the first is done, the others have little time. Raises the reason of a
        failure."""
        first, ends = self.processes[0], float("inf")
        while any(process.poll() is None for process in self.processes) and time.monotonic() < ends:
            time.sleep(0.05)
            if first.returncode is not None or any(process.returncode for process in self.processes):
                ends = min(ends, time.monotonic() + (GRACE if first.returncode in (None, 0, LOST) else 0))
        statuses = [process.poll() for process in self.processes]
        self.kill()
        if statuses[0] != 0:
            self._conclude([LOST if status is None else status for status in statuses])

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _conclude(self, statuses: list[int]) -> None:
        """Raise the reason for which a process failed. Those that only lost another one count last, and then the first speaks."""
        _, rank = min((status == LOST, rank) for rank, status in enumerate(statuses) if status)
        status, words = statuses[rank], self._said(self._words(rank)).strip()
        if status < 0 and self.signal == -status:  # before the training could have saved anything
            raise RunStopped("stopped.", 128 - status)
        if status < 0:
            name = signal.Signals(-status).name
            memory = ", perhaps because memory ran out" if -status == signal.SIGKILL else ""
            hint = self._said(self._words(0)).strip().partition(" has ended. ")[2]
            raise RunStopped(f"process {rank + 1} of {len(statuses)} was ended by {name}{memory}. {hint}".strip(), 128 - status)
        if not words:  # an error that csrgan has no sentence for
            sys.stderr.write(self._said(self._errors(rank)))
        words = words or f"process {rank + 1} of {len(statuses)} failed with exit status {status}."
        raise UserError(*words.split("\n")) if status == 2 else RunStopped(words, status)

    @staticmethod
    def _said(file: Path) -> str:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def run(words: Sequence[str], count: int, *, quiet: bool = False) -> None:
    """Run `csrgan` with these words in `count` processes that train together. quiet: whether the first is silent too.

    Raises UserError or RunStopped for a reason that ends them.
    """
    with TemporaryDirectory(prefix="csrgan") as folder:
        together = Together(words, count, Path(folder), quiet=quiet)
        try:
            with _signals_passed_on(together):
                together.wait()
        finally:
            together.kill()


@contextmanager
def _signals_passed_on(together: Together) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
    handlers = {number: signal.signal(number, together.pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def environments(count: int) -> list[dict[str, str]]:
    """Return the environment of each of `count` processes on this machine, in torchrun's words; they divide the cores."""
    threads = {} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count))}
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    shared = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), **place}
    own = [{"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0"} for rank in range(count)]
    return [{**threads, **shared, STARTED_BY: "csrgan", **each} for each in own]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    watchdog.watch()
    raise SystemExit(import_module("csrgan.cli").main())  # imported by name, because cli is above runs
