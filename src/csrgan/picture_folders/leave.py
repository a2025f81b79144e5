"""Ctrl-C and SIGTERM during a long series: the first ends it in order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from csrgan.errors import RunStopped


class Asked(BaseException):
    """A signal asked to leave. Not an Exception: what passes over a bad picture does not pass over this."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Leave:
    """Holds the number of the signal that asked to leave; 0: none did."""

    def __init__(self) -> None:
        self.number = 0
        self.sheltered = False

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """What the signal does: raises Asked, unless something is being done that must not be left halfway."""
        if self.number:
            os._exit(128 + number)
        self.number = number
        if not self.sheltered:
            raise Asked(number)

    def heed(self) -> None:
        """Raise Asked where a signal came at a place from which an error does not get through."""
        if self.number:
            raise Asked(self.number)

    @contextmanager
    def shelter(self) -> Iterator[None]:
        """What is done here is done to its end, and then the signal counts."""
        self.sheltered = True
        try:
            yield
        finally:
            self.sheltered = False
        self.heed()


@contextmanager
def leaving() -> Iterator[Leave]:
    """While this lasts, SIGINT and SIGTERM raise Asked in the main thread; of what nobody else tells, Stopped says it."""
    leave = Leave()
    if threading.current_thread() is not threading.main_thread():
        yield leave
        return
    before = {number: signal.signal(number, leave.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield leave
    except Asked as asked:
        raise RunStopped("stopped; the same command begins again.", 128 + asked.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
