"""csrgan demo: a page in the browser on which to try a checkpoint on photographs. It asks no other computer for anything."""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from csrgan.config.location import extra
from csrgan.console import Console
from csrgan.errors import UserError, require
from csrgan.picture_folders.interrupt import interruptible
from csrgan.runs import packaged
from csrgan.workflow.trained import chosen

if TYPE_CHECKING:
    from fastapi import FastAPI

LAST_PORT = 65535
EVERYWHERE = ("0.0.0.0", "::")  # listens at every address of the computer


def run(config: DictConfig) -> int:
    """Serve the page until a signal comes. Raises RunStopped then, and UserError if the words or the port cannot be used."""
    require(find_spec("gradio") is not None, f"it needs gradio, which is not installed: {extra('demo')}.")
    with interruptible(), listening(str(config.host), int(config.port)) as listener, _alone():
        system, _ = chosen(config, config.checkpoint)
        from csrgan.cli.demo_page import Restoring, app

        restoring = Restoring(system, config)
        Console().print(_where(listener), highlight=False, markup=False, soft_wrap=True)
        sys.stdout.flush()  # also where nobody looks at a terminal
        try:
            _serve(app(restoring, title=f"csrgan: {Path(str(config.checkpoint or packaged.PHOTO)).resolve().name}"), listener)
        finally:
            restoring.stop()
    return 0


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen at an address. Raises UserError if that is impossible, with the next port that is free if this one is not."""
    listener = _listener(host, port)
    if listener is None:
        free = next((next_port for next_port in range(port + 1, LAST_PORT + 1) if _is_free(host, next_port)), 0)
        raise UserError(f"port={port} is taken: choose port={free}, which is free{'' if free else ' to be any'}.")
    with listener:
        yield listener


def _listener(host: str, port: int) -> socket.socket | None:
    """Return a socket that listens; None if the port is taken. Nobody else can take the port from then on."""
    where = (
        f"host={host} is no address of this computer: choose 127.0.0.1, for it alone, or 0.0.0.0, for everybody who can reach it."
    )
    try:
        number = "127.0.0.1" if host == "localhost" else host  # no other name: a foreign computer would say what it means
        family, kind, protocol, _, address = socket.getaddrinfo(number, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)[0]
    except (OSError, UnicodeError):
        raise UserError(where) from None
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # the same port again right after an end; elsewhere it would share a port that is in use
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as reason:
        listener.close()
        if reason.errno == errno.EADDRINUSE:
            return None
        sentence = where if reason.errno == errno.EADDRNOTAVAIL else f"port={port} cannot be used: {reason.strerror}."
        raise UserError(sentence) from None
    return listener


def _is_free(host: str, port: int) -> bool:
    listener = _listener(host, port)
    if listener:
        listener.close()
    return listener is not None


def _where(listener: socket.socket) -> str:
    """Return the address of the page, and who can open it."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    open_to = "; all who can reach this computer can use it" if host in EVERYWHERE else ""
    return f"{address}  (Ctrl-C ends it{open_to})"


@contextmanager
def _alone() -> Iterator[None]:
    """Keep Gradio from asking or telling anybody anything, and its files in a folder that goes when the block ends.

    No GRADIO_ variable of the environment counts: some open a tunnel for strangers or serve more files. Before its import.
    """
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    try:
        with tempfile.TemporaryDirectory(prefix="csrgan-demo-", ignore_cleanup_errors=True) as folder:
            os.environ["GRADIO_TEMP_DIR"] = folder
            yield
    finally:
        os.environ.clear()
        os.environ |= before


def _serve(page: FastAPI, listener: socket.socket) -> None:
    """Answer requests until a signal comes, which is then raised again."""
    import uvicorn

    # An open page holds a connection that never ends by itself; one second is for answers on their way.
    settings = uvicorn.Config(page, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    uvicorn.Server(settings).run(sockets=[listener])
