"""A shell in which `csrgan` and `python` start at once: they are forked from a process that has imported everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import json, os, signal, socket, sys, torch, traceback
torch.set_num_threads(1)
import csrgan.cli.train, csrgan.cli.evaluate, csrgan.cli.restore, csrgan.cli.report
from csrgan.cli import main
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(16)
listener.settimeout(5)
tests = os.getppid()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)

def wait(connection):
    message, streams, *_ = socket.recv_fds(connection, 2**24, 3)
    process = os.fork()
    if process:
        connection.sendall(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())
        return
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    folder, environment, name, words = json.loads(message)
    os.chdir(folder), os.environ.clear(), os.environ.update(environment), sys.path.insert(0, folder)
    status = 1
    try:
        if name == "csrgan":
            status = main(words)
        else:
            script, *sys.argv[1:] = words or ["-"]
            text = sys.stdin.read() if script == "-" else open(script).read()
            exec(compile(text, script, "exec"), {"__name__": "__main__"})
            status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(status)

while os.getppid() == tests:  # tests that were killed leave nothing behind
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        continue
    connection.setblocking(True)
    if not os.fork():
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        wait(connection)
        os._exit(0)
    connection.close()
"""

CLIENT = """#!{python} -IS
import json, os, socket, sys
name, words, small = os.path.basename(sys.argv[0]), sys.argv[1:], json.loads(os.environ.get("SMOKE", "null"))
if name == "python" and words[:1] == ["-m"]:
    os.execv({python!r}, [{python!r}, *words])
if small is not None and words[:1] == ["train"]:
    resumed = any(word.startswith("resume=") for word in words)
    own = dict(word.split("=", 1) for word in small)
    added = own if resumed else {{**{first!r}, **own}}
    replaced = {{*added, *(() if resumed else {replaced!r})}}
    words = [word for word in words if word.lstrip("+").split("=")[0] not in replaced]
    words += [f"{{key}}={{value}}" for key, value in added.items()]
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
socket.send_fds(connection, [json.dumps([os.getcwd(), dict(os.environ), name, words]).encode()], [0, 1, 2])
sys.exit(int(connection.recv(16) or 1) % 256)
"""

# What a training gets in an example that is run at smoke size, and which of its own words make room for it.
FIRST = {"trainer": "smoke", "logger": "csv", "evaluation.grid": "{blur: 1, scale: 1, noise: 1}"}
REPLACED = (
    "trainer.images",
    "trainer.multiply_adds",
    "trainer.minutes",
    "data.crop",
    "data.batch_size",
    "data.workers",
    "data.final_crop",
    "evaluation.crop",
)


@dataclass(frozen=True)
class Shell:
    """Runs bash in a folder, with the commands first in PATH."""

    commands: Path

    def run(self, script: str, folder: Path, **environment: str) -> tuple[int, str]:
        """Return the exit status of a script, which ends at its first failure, and what it printed."""
        places = f"{self.commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        settings = {**os.environ, "PATH": places, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **environment}
        words = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            words, cwd=folder, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return done.returncode, done.stdout


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """Start the process that commands are forked from. folder: for its socket and the commands."""
    path = folder / "socket"
    for name in ("csrgan", "python"):
        client = folder / name
        client.write_text(CLIENT.format(python=sys.executable, path=str(path), first=FIRST, replaced=REPLACED))
        client.chmod(0o755)
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)], text=True, env=settings, stdout=subprocess.PIPE, start_new_session=True
    ) as server:
        try:
            assert server.stdout and server.stdout.readline() == "ready\n"
            yield Shell(folder)
        finally:
            os.killpg(server.pid, signal.SIGKILL)
