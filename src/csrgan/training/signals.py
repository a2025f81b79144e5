"""SIGTERM and Ctrl-C where there is nothing to save: they end the process at once, as they would without Lightning.

Lightning only notes a SIGTERM, goes on until the batch ends, which may take minutes where networks are compiled, and then ends the
process with status 0. It turns Ctrl-C into status 1.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lightning import Callback, LightningModule, Trainer

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class PlainSignals(Callback):
    """Put the handlers that were there before Lightning's back as soon as its loop begins."""

    def __init__(self) -> None:
        self._handlers = {number: signal.getsignal(number) for number in NUMBERS}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.on_train_start(trainer, pl_module)


@contextmanager
def ctrl_c_passed_on() -> Iterator[None]:
    """Raise the KeyboardInterrupt again that Lightning turns into SystemExit."""
    try:
        yield
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise stop.__context__ from None
        raise
