"""Makes the predicted intervals right before they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lightning import Callback, LightningModule, Trainer

from csrgan.callbacks.watched import watched
from csrgan.data.crops import CropBatch
from csrgan.data.module import Photographs
from csrgan.records import Batch
from csrgan.training.system import System


class Calibration(Callback):
    """Before each evaluation, looks at photographs of data.valid, anew degraded: as large as the crops, and as large as those of
    the evaluation.

    A spread learned from crops is too wide for a photograph, which has more to read from; and photographs that were trained on
    may be read otherwise than others. Each is then evaluated by what was found without it. pictures: how many of a size, the same
    photograph more than once where there are fewer; 0: none.
    """

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        system = watched(pl_module)
        if self.pictures and system.restorer.uncertain:
            data = getattr(trainer, "datamodule", None)
            assert isinstance(data, Photographs)
            system.restorer.calibrate(*(degraded(loader, data, system) for loader in data.calibration(self.pictures)))


def degraded(batches: Iterable[CropBatch], data: Photographs, system: System) -> Iterator[Batch]:
    """Batches as the system is given them."""
    for batch in batches:
        yield data.on_after_batch_transfer(data.transfer_batch_to_device(batch, system.device, 0), 0)
