"""Printing for the commands. Names come from file systems and strangers, so control characters never reach the terminal."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

from rich import console
from rich.table import Table

from csrgan.errors import printable


class Console(console.Console):
    """Rich's console; it prints control characters in sentences and tables as escapes, and a sentence as one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"emoji": False, **options})  # a file may be called :cat:

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*map(_shown, objects), **options)


def _shown(what: Any) -> Any:
    if isinstance(what, Table):
        for column in what.columns:
            column._cells = [printable(cell) if isinstance(cell, str) else cell for cell in column._cells]
        what.title = printable(what.title) if isinstance(what.title, str) else what.title
        what.caption = _lines(what.caption) if isinstance(what.caption, str) else what.caption
    return printable(what) if isinstance(what, str) else what


def _lines(text: str) -> str:
    """Escape a text line by line: its line ends are meant."""
    return "\n".join(map(printable, text.split("\n")))


def quiet() -> None:
    """Silence messages of libraries that a user cannot act on."""
    os.environ.setdefault("WANDB_SILENT", "true")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
