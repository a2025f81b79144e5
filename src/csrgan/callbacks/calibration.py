"""Calibrate the predicted intervals before they are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from lightning import Callback, LightningModule, Trainer

from csrgan.callbacks.bar import Bar
from csrgan.callbacks.watched import as_system
from csrgan.data.crops import CropBatch
from csrgan.data.module import Photographs
from csrgan.records import Batch
from csrgan.training.system import System


class Calibration(Callback):
    """Calibrate the intervals before each evaluation on newly degraded photographs of data.valid, in the size of the crops and in
    that of the evaluation.

    A spread learned from crops is too wide for a whole photograph, which holds more evidence, and predictions on training
    photographs may differ from those on others. Each photograph is evaluated with a calibration that leaves it out.
    pictures: number of photographs per size, with repetitions where there are fewer; 0: no calibration. bar: shows how far it
    is.
    """

    def __init__(self, pictures: int, bar: Bar) -> None:
        self.pictures, self.bar = pictures, bar

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        system = as_system(pl_module)
        if self.pictures and system.restorer.uncertain:
            data = getattr(trainer, "datamodule", None)
            assert isinstance(data, Photographs)
            loaders, numbers = data.calibration(self.pictures), count(1)
            with self.bar.step("calibrating", sum(map(len, loaders))) as advance:

                def counted(batches: Iterable[Batch]) -> Iterator[Batch]:
                    for batch in batches:
                        yield batch
                        advance(next(numbers))

                system.restorer.calibrate(*(counted(degraded(loader, data, system)) for loader in loaders))


def degraded(batches: Iterable[CropBatch], data: Photographs, system: System) -> Iterator[Batch]:
    """Yield the batches as the system receives them."""
    for batch in batches:
        yield data.on_after_batch_transfer(data.transfer_batch_to_device(batch, system.device, 0), 0)
