"""Makes the predicted intervals right before they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lightning import Callback, Trainer

from csrgan.records import Batch
from csrgan.systems.base import System


class Calibration(Callback):
    """Before each evaluation, looks at so many photographs of data.train, anew degraded: as large as the crops, and as large as
    those of the evaluation.

    A spread learned from crops is too wide for a photograph, which has more to read from, and that of a network which knows its
    photographs by heart would be too narrow. Nothing of data.valid is looked at. pictures: how many of a size; 0: none.
    """

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures

    def on_validation_start(self, trainer: Trainer, pl_module: System) -> None:  # type: ignore[override]
        if self.pictures and pl_module.uncertain:
            data: Any = trainer.datamodule  # type: ignore[attr-defined]
            pl_module.calibrate(*(degraded(loader, data, pl_module) for loader in data.calibration(self.pictures)))


def degraded(batches: Iterable[Any], data: Any, system: System) -> Iterator[Batch]:
    """Batches as the system is given them."""
    for batch in batches:
        yield data.on_after_batch_transfer(data.transfer_batch_to_device(batch, system.device, 0), 0)
