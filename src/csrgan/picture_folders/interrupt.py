"""Ctrl-C and SIGTERM during a long series: the first ends it in order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from csrgan.errors import RunStopped


class StopRequested(BaseException):
    """A signal asked the process to stop. Not an Exception, so that code that skips a bad picture does not catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupt:
    """Holds the number of the signal that asked to stop; 0 before any does."""

    def __init__(self) -> None:
        self.number = 0
        self.deferred = False

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal: raise StopRequested, unless `defer` holds it back. The second signal ends the process."""
        if self.number:
            with suppress(OSError):  # not by print, which fails where the signal came within another print
                os.write(2, b"csrgan: ended at once; what was written before is whole.\n")
            os._exit(128 + number)
        self.number = number
        if not self.deferred:
            raise StopRequested(number)

    def raise_pending(self) -> None:
        """Raise StopRequested if a signal came where its error was lost."""
        if self.number:
            raise StopRequested(self.number)

    @contextmanager
    def defer(self) -> Iterator[None]:
        """Complete the body before a signal takes effect."""
        self.deferred = True
        try:
            yield
        finally:
            self.deferred = False
        self.raise_pending()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let SIGINT and SIGTERM raise StopRequested in the main thread. Raises RunStopped for one that the body does not catch."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    handlers = {number: signal.signal(number, interrupt.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    except StopRequested as stop:
        raise RunStopped("stopped; the same command begins again.", 128 + stop.number) from None
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
