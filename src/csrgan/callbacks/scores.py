"""Write the rows of an evaluation, and draw panels of some of its pictures."""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from statistics import median

from lightning import Callback, LightningModule, Trainer

from csrgan import run_folder
from csrgan.callbacks.watched import as_evaluated
from csrgan.data import picture
from csrgan.evaluation import results
from csrgan.loggers.run_logger import RunLogger
from csrgan.records import Batch, Restoration
from csrgan.reports import figure
from csrgan.training import collectives, shared_out


class Scores(Callback):
    """Keep rows and summary of the last evaluation, and draw panels of pictures spread over the set.

    folder: the run folder, for results.csv, `panels/` and `pictures/` (S, L and H of each panel, pixel for pixel).
    panels: number of pictures drawn, each by the process that restored it.
    """

    def __init__(self, folder: Path, panels: int) -> None:
        self.folder, self.panels = folder, panels
        self.rows: list[results.Row] = []
        self.summary: dict[str, float] = {}
        self.images_seen = -1

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.durations: list[float] = []
        self.panel_files: list[str] = []
        self.folder = collectives.gathered(self.folder)[0]  # its default name holds the time
        count = shared_out.count(trainer.val_dataloaders, int(sum(trainer.num_val_batches)))
        self.drawn = {round((index + 0.5) * count / self.panels - 0.5) for index in range(min(self.panels, count))}

    def on_validation_batch_start(self, *_: object) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The median time per picture."""
        return median(self.durations)

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        assert isinstance(outputs, Restoration)
        self.durations.append(time.monotonic() - self.began)
        number = shared_out.number(trainer.val_dataloaders, batch_idx)
        if number in self.drawn:
            drawing = figure.panel(batch, outputs, as_evaluated(pl_module).restorer.prior.units)
            # Cut off, because some names have the maximum length.
            file = self.folder / run_folder.PANELS / f"{number:04d}_{Path(batch.names[0]).stem[:60]}.png"
            figure.save(drawing, file)
            for name, image in (
                (run_folder.RESTORED, outputs.image),
                (run_folder.LOW, batch.enlarged),
                (run_folder.SHARP, batch.sharp),
            ):
                picture.write(self.folder / run_folder.PICTURES / file.stem / name, image[0].cpu())
            self.panel_files.append(str(file))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the panels with the row of the evaluation."""
        files = sorted(file for each in collectives.gathered(self.panel_files) for file in each)
        for logger, file in product(trainer.loggers, files):
            if isinstance(logger, RunLogger):
                logger.log_image(key=f"{run_folder.PANELS}/{Path(file).stem}", images=[file])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        system = as_evaluated(pl_module)
        self.rows, self.summary, self.images_seen = system.rows, system.summary, system.images_seen
        if trainer.is_global_zero:
            results.write(self.folder / run_folder.RESULTS, self.rows)
