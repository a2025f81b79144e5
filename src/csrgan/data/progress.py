"""Show the progress of long steps: a bar with the time left on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

INTERVAL = 10.0  # seconds between two lines


@runtime_checkable
class Advance(Protocol):
    def __call__(self, done: int) -> None:
        """Report that `done` of the total is done."""


def time_left() -> TimeRemainingColumn:
    """Return a column with the time left, whole in any terminal that has room for it: Rich cuts off what may be wrapped."""
    return TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True))


class Yielding(TextColumn):
    """A text on one line, the first to be cut off where the terminal is too narrow: the longest of these and the bar gives way."""

    def __init__(self, text: str) -> None:
        super().__init__(text, table_column=Column())  # by default it keeps its width, and others are cut off

    def render(self, task: Task) -> Text:
        text = super().render(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


@contextmanager
def progress(console: Console, task: str, total: int, *, unit: str = "") -> Iterator[Advance]:
    """Yield a function to call with how much of `total` is done. unit: "bytes", or empty for counted items."""
    whole = Column(no_wrap=True)
    count = DownloadColumn(table_column=whole) if unit == "bytes" else MofNCompleteColumn(table_column=whole)
    columns = (Yielding("{task.description}"), BarColumn(bar_width=20), count, time_left())
    began = printed = time.monotonic()
    first: int | None = None
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task_id = bar.add_task(task, total=total)

        def advance(done: int) -> None:
            nonlocal printed, first
            first = done if first is None else first
            bar.update(task_id, completed=done)
            now = time.monotonic()
            if not console.is_terminal and now - printed >= INTERVAL and first < done < total:
                printed = now
                left = (total - done) * (now - began) / (done - first)
                console.print(f"{task}: {done / total:.0%}, {left:.0f} s left", highlight=False, markup=False, soft_wrap=True)

        yield advance


@contextmanager
def wait_lock(file: Path, console: Console, task: str) -> Iterator[None]:
    """Let one process at a time do `task`; others say that they wait. The lock is a file, released when its process ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print(f"another process is {task}; waiting for it", highlight=False, markup=False, soft_wrap=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
