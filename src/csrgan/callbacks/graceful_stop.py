"""Handle Ctrl-C and SIGTERM: the first lets a training save and stop, the second ends it at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from lightning import Callback, Trainer

from csrgan.errors import ENDS_AT_ONCE, printable
from csrgan.runs.checkpoint_place import earlier_save
from csrgan.training import collectives

GRACE = 9.0  # seconds to save; besides three times as long as the longest batch took. Then the process ends with an earlier save

SAVING = f"saving and stopping after this batch; {ENDS_AT_ONCE}"


class GracefulStop(Callback):
    """Record the number of the signal that asked a running training to stop; 0: none. folder: the run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, 0
        self.handlers: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self.timer: threading.Timer | None = None
        self.began, self.longest = 0.0, 0.0  # of a batch, seconds

    def on_train_batch_start(self, *_: object) -> None:
        self.began = time.monotonic()

    def on_train_batch_end(self, *_: object) -> None:
        self.longest = max(self.longest, time.monotonic() - self.began)

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Install the handlers after Lightning's own, which would stop between a batch and its save, with status 0."""
        if threading.current_thread() is threading.main_thread():
            self.handlers = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_validation_start(self, trainer: Trainer, *_: object) -> None:
        """Do the same for an evaluation after the training."""
        if not self.handlers:
            self.on_train_start(trainer)

    def requested(self, trainer: Trainer) -> int:
        """Return the number of the signal that asked any of the processes that train together to stop; 0: none."""
        return collectives.largest(self.number, trainer.strategy.root_device)

    def _handle(self, number: int, frame: object) -> None:
        if self.number:
            self._end(number, "ended at once")
        self.number = number
        _say(SAVING)
        self.timer = threading.Timer(GRACE + 3 * self.longest, self._give_up, [number])
        self.timer.daemon = True
        self.timer.start()

    def _give_up(self, number: int) -> None:
        self._end(number, "stopped; the batch did not end in time")

    def _end(self, number: int, said: str) -> None:
        _say(f"{said}; {earlier_save(self.folder)}")
        os._exit(128 + number)

    def teardown(self, *_: object, **__: object) -> None:
        if self.timer:
            self.timer.cancel()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.handlers = {}

    def on_exception(self, *_: object) -> None:
        self.teardown()


def _say(sentence: str) -> None:
    """Write a sentence, in the first of several processes. Not by print, which fails where the signal came within another print."""
    if collectives.rank() == 0:
        with suppress(OSError):
            os.write(2, f"{printable(f'csrgan train: {sentence}')}\n".encode())
