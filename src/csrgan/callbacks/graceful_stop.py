"""Ctrl-C and SIGTERM: the first asks a training to save and leave, the second ends it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from lightning import Callback, Trainer

GRACE = 9.0  # seconds for the batch that is under way and for saving; then the process ends with what was saved before


class GracefulStop(Callback):
    """While a training runs, holds the number of the signal that asked it to leave; 0: none did."""

    def __init__(self) -> None:
        self.number = 0
        self.before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self.timer: threading.Timer | None = None

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Here, after Lightning has set its own handlers, which would leave between a batch and its save, and with status 0."""
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def asked(self, trainer: Trainer) -> bool:
        """Whether any of the processes that train together was asked to leave."""
        mine = bool(self.number)
        return trainer.strategy.reduce_boolean_decision(mine, all=False) if trainer.world_size > 1 else mine

    def _ask(self, number: int, frame: object) -> None:
        if self.number:
            os._exit(128 + number)
        self.number = number
        print("csrgan train: saving, to leave after this batch; a second signal ends it at once", file=sys.stderr, flush=True)
        self.timer = threading.Timer(GRACE, os._exit, [128 + number])
        self.timer.daemon = True
        self.timer.start()

    def teardown(self, *_: object, **__: object) -> None:
        if self.timer:
            self.timer.cancel()
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}

    def on_exception(self, *_: object) -> None:
        self.teardown()
