"""Makes the predicted intervals right before they are judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightning import Callback, Trainer

from csrgan.records import Batch
from csrgan.systems.base import System


class Calibration(Callback):
    """Before each evaluation, looks at so many photographs of data.train, as large as those of the evaluation and anew degraded.

    A spread learned from crops is too wide for a photograph, which has more to read from, and that of a network which knows its
    photographs by heart would be too narrow. Nothing of data.valid is looked at. pictures: how many; 0: none.
    """

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures

    def on_validation_start(self, trainer: Trainer, pl_module: System) -> None:  # type: ignore[override]
        if self.pictures and pl_module.uncertain:
            pl_module.calibrate(_degraded(trainer.datamodule, self.pictures, pl_module))  # type: ignore[attr-defined]


def _degraded(data: Any, count: int, system: System) -> Iterator[Batch]:
    for batch in data.calibration(count):
        yield data.on_after_batch_transfer(data.transfer_batch_to_device(batch, system.device, 0), 0)
