"""csrgan in processes of its own that start at once: they are forked from one that has imported everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = """
import json, os, sys, torch
torch.set_num_threads(1)
import csrgan.cli.train, csrgan.cli.evaluate
from csrgan.cli import main
print("ready", flush=True)
for line in sys.stdin:
    before, output, words = json.loads(line)
    process = os.fork()
    if not process:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, 1), os.dup2(file, 2), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        exec(before)
        try:
            status = main(words)
        except BaseException as error:
            print(repr(error), flush=True)
            status = 1
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


TOGETHER = """
import json, os, sys, time, torch, traceback, urllib.request
torch.set_num_threads(1)
import csrgan.cli.train
from csrgan.cli import main
processes, ended, began = [], {}, time.monotonic()
for environment, place, before, words in json.loads(sys.stdin.read()):
    process = os.fork()
    if not process:
        os.environ.clear(), os.environ.update(environment)
        for stream, kind in ((1, "out"), (2, "err")):
            os.dup2(os.open(place + "." + kind, os.O_WRONLY | os.O_CREAT), stream)
        exec(before)
        status = 1
        try:
            status = main(words)
        except Exception:
            traceback.print_exc()
        print("wandb was imported" if "wandb" in sys.modules else "wandb was not imported")
        sys.exit(status)
    processes.append(process)
while len(ended) < len(processes):
    process, status = os.wait()
    ended[process] = os.waitstatus_to_exitcode(status), time.monotonic() - began
print(json.dumps([ended[process] for process in processes]))
"""


Started = tuple[dict[str, str], Path, str, list[str]]  # environment, where its output goes, Python to run first, its words


def together(*started: Started) -> list[tuple[int, float]]:
    """Run commands at the same time. Gives the exit status of each, and after how many seconds its process was gone."""
    told = json.dumps([(environment, str(place), before, words) for environment, place, before, words in started])
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", TOGETHER], input=told, text=True, env=settings, stdout=subprocess.PIPE, check=True)
    return [(status, seconds) for status, seconds in json.loads(done.stdout)]


class Commands:
    """A process that runs one command at a time. before: Python to run in it first."""

    def __init__(self, server: subprocess.Popen[str], output: Path) -> None:
        self.server, self.output = server, output

    def start(self, *words: str, before: str = "pass") -> int:
        """The number of the process."""
        self.output.unlink(missing_ok=True)
        assert self.server.stdin
        self.server.stdin.write(json.dumps([before, str(self.output), words]) + "\n")
        self.server.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """Wait for the end; the exit status, or minus the signal."""
        return int(self._line())

    def run(self, *words: str, before: str = "pass") -> tuple[int, str]:
        self.start(*words, before=before)
        status = self.end()
        return status, self.said()

    def said(self) -> str:
        return self.output.read_text() if self.output.is_file() else ""

    def _line(self) -> str:
        assert self.server.stdout
        return self.server.stdout.readline()


@contextmanager
def commands(folder: Path) -> Iterator[Commands]:
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen([sys.executable, "-c", SERVER], text=True, env=settings, start_new_session=True, **pipes)
    try:
        made = Commands(server, folder / "said.txt")
        assert made._line() == "ready\n"
        yield made
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def until(holds: object, seconds: float = 60) -> bool:
    """Whether the function `holds` comes true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def as_nobody(holds: Callable[[], bool], folder: Path) -> bool:
    """Whether the function comes true for a user who is not the superuser, who may read everything. folder: that user may enter."""
    for each in (folder, *folder.parents[:-1]):
        if os.getuid() == 0:
            each.chmod(each.stat().st_mode | 0o011)
    child = os.fork()
    if not child:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            os._exit(0 if holds() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
