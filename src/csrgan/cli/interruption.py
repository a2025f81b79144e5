"""Ctrl-C while a command starts: what is being imported may turn a KeyboardInterrupt into another error, or swallow it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from csrgan.errors import RunStopped


class CtrlC:
    """Notes that Ctrl-C was pressed, besides raising KeyboardInterrupt as Python does."""

    def __init__(self) -> None:
        self.pressed = False

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note Ctrl-C in this block, and raise KeyboardInterrupt for an error after it that does not tell of it.

        Nothing is done where another handler than Python's own is in place.
        """
        main = threading.current_thread() is threading.main_thread()
        if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        except Exception as error:
            if self.pressed and not isinstance(error, RunStopped):
                raise KeyboardInterrupt from error
            raise
        finally:
            self.pressed = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt

    def raise_lost(self) -> None:
        """Raise the KeyboardInterrupt that something has swallowed, if there was one."""
        if self.pressed:
            raise KeyboardInterrupt


CTRL_C = CtrlC()
