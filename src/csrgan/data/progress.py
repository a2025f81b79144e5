"""Progress of what happens before training: a bar with an estimate on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 10.0  # seconds between two lines


@runtime_checkable
class Advance(Protocol):
    def __call__(self, done: int) -> None:
        """Say that `done` of all is done."""


@contextmanager
def progress(console: Console, what: str, total: int, *, unit: str = "") -> Iterator[Advance]:
    """A function to call with how much of `total` is done. unit: "bytes", or none for things that are counted."""
    count = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), count, TimeRemainingColumn(compact=True))
    began = told = time.monotonic()
    first: int | None = None
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(done: int) -> None:
            nonlocal told, first
            first = done if first is None else first
            bar.update(task, completed=done)
            now = time.monotonic()
            if not console.is_terminal and now - told >= EVERY and done > first:
                told = now
                left = (total - done) * (now - began) / (done - first)
                console.print(f"{what}: {done / total:.0%}, {left:.0f} s left", highlight=False, markup=False, soft_wrap=True)

        yield advance


@contextmanager
def wait_lock(place: Path, console: Console, what: str) -> Iterator[None]:
    """Only one process at a time does `what`; others wait, and say so. The lock is a file, and ends with its process."""
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print(f"another process is {what}; waiting for it", highlight=False, markup=False, soft_wrap=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
