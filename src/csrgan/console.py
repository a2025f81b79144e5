"""Printing for the commands. Names come from file systems and strangers, so control characters never reach the terminal."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from io import StringIO
from typing import Any

from rich import console
from rich.table import Table

from csrgan.errors import printable

LIGHTNING = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]

_silent = ContextVar("silent", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Print nothing while the block runs. In a notebook a console shows its lines beside stdout, so it is silenced too."""
    token = _silent.set(True)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        _silent.reset(token)


def is_silent() -> bool:
    """Return whether a block of `silence` runs."""
    return _silent.get()


class Console(console.Console):
    """Rich's console; it prints control characters in sentences and tables as escapes, and a sentence as one line."""

    def __init__(self, **options: Any) -> None:
        quiet = _silent.get() and not options.get("stderr")
        super().__init__(**{"emoji": False, "quiet": quiet, **options})  # no emoji: a file may be called :cat:

    def print(self, *objects: object, **options: Any) -> None:
        super().print(*map(_printable, objects), **options)


def _printable(item: object) -> object:
    if isinstance(item, Table):
        for column in item.columns:
            column._cells = [printable(cell) if isinstance(cell, str) else cell for cell in column._cells]
        item.title = printable(item.title) if isinstance(item.title, str) else item.title
        item.caption = _printable_lines(item.caption) if isinstance(item.caption, str) else item.caption
    return printable(item) if isinstance(item, str) else item


def _printable_lines(text: str) -> str:
    """Escape a text line by line: its line ends are meant."""
    return "\n".join(map(printable, text.split("\n")))


def quiet() -> None:
    """Silence messages of libraries that a user cannot act on."""
    os.environ.setdefault("WANDB_SILENT", "true")
    _silence_lightning()


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning while the block runs, but not in the rest of a Python program."""
    levels = {logger: logger.level for logger in LIGHTNING}
    try:
        with warnings.catch_warnings():
            _silence_lightning()
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


def _silence_lightning() -> None:
    for logger in LIGHTNING:
        logger.setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
