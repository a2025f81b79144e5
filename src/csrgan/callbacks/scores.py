"""Writes the rows of an evaluation, and draws panels of some of its pictures."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from lightning import Callback, LightningModule, Trainer

from csrgan import run_folder
from csrgan.callbacks.watched import evaluated
from csrgan.data import picture
from csrgan.evaluation import results
from csrgan.loggers.run_logger import RunLogger
from csrgan.records import Batch, Restoration
from csrgan.reports import figure


class Scores(Callback):
    """What the system found in the last evaluation (rows and summary), and panels spread over the set.

    folder: of the run; panels go to `panels/`, their S, L and H as files of their own pixels to `pictures/`, results.csv beside
    them. panels: how many pictures are drawn.
    """

    def __init__(self, folder: Path, panels: int) -> None:
        self.folder, self.panels = folder, panels
        self.rows: list[results.Row] = []
        self.summary: dict[str, float] = {}
        self.images_seen = -1

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.spent: list[float] = []
        count = int(sum(trainer.num_val_batches))
        self.drawn = {round((index + 0.5) * count / self.panels - 0.5) for index in range(min(self.panels, count))}

    def on_validation_batch_start(self, *_: object) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Median of the time for a picture."""
        return median(self.spent)

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        assert isinstance(outputs, Restoration)
        self.spent.append(time.monotonic() - self.began)
        if batch_idx in self.drawn:
            drawing = figure.panel(batch, outputs)
            # Cut off, for some names are as long as a name may be.
            file = self.folder / run_folder.PANELS / f"{batch_idx:04d}_{Path(batch.names[0]).stem[:60]}.png"
            figure.save(drawing, file)
            for name, image in (
                (run_folder.RESTORED, outputs.image),
                (run_folder.LOW, batch.enlarged),
                (run_folder.SHARP, batch.sharp),
            ):
                picture.write(self.folder / run_folder.PICTURES / file.stem / name, image[0].cpu())
            for logger in trainer.loggers:
                if isinstance(logger, RunLogger):
                    logger.log_image(key=f"{run_folder.PANELS}/{file.stem}", images=[str(file)])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        system = evaluated(pl_module)
        self.rows, self.summary, self.images_seen = system.rows, system.summary, system.images_seen
        results.write(self.folder / run_folder.RESULTS, self.rows)
