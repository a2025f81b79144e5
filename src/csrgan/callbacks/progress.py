"""Show the progress of a training and log its metrics, both against images seen."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from torch import Tensor

from csrgan.callbacks.bar import Bar
from csrgan.callbacks.scores import Scores
from csrgan.callbacks.watched import as_system
from csrgan.data.crops import CropSchedule
from csrgan.data.loader import ResumableLoader
from csrgan.data.progress import INTERVAL
from csrgan.records import Batch
from csrgan.training.system import System

SHOWN = {  # the names of values, shorter; other loss terms of the generator follow under their own
    "generator/image": "image",
    "generator/parameters": "theta",
    "generator/adversarial": "adv",
    "D(real)": "D(real)",
    "D(fake)": "D(fake)",
}
TERM, NORM = "generator/", "generator/gradient_norm"


class Watch(Callback):
    """Show images/s, time left, the loss terms and the gain (dB) of the last evaluation; log the values every `every` batches.

    total: the budget in images. sides: side of each crop, because a large one takes longer. Without a terminal a plain line is
    printed every ten seconds instead of the bar. `bar` has lines for steps beside the training, such as evaluations.
    """

    def __init__(self, console: Console, total: int, sides: CropSchedule, every: int, scores: Scores) -> None:
        self._console, self._total, self._sides, self._every, self._scores = console, total, sides, every, scores
        self._started = self._logged_at = 0.0  # times, later by each evaluation since, so that speeds are those of the training
        self._trained = self._waited = 0.0  # seconds, over all starts of the run; evaluations are left out
        self._began: float | None = None  # since when it trains
        self.bar = Bar(console)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = self._began = self._printed = self._logged_at = time.monotonic()
        self._first = self._logged_images = as_system(pl_module).images_seen
        if self._first:
            self._console.print(f"resumed after {self._first} images", highlight=False)
        self.bar.progress.start()
        work, done = self._sides.pixels(self._total), self._sides.pixels(self._first)
        count = f"{self._first}/{self._total}"
        self._task = self.bar.progress.add_task("training", total=work, completed=done, count=count, parts="")

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        system = as_system(pl_module)
        due = system.state.batches_seen % self._every == 0
        now = time.monotonic()
        if not due and now - self._printed < INTERVAL:
            return
        values = _floats(system.state.recorded)
        if due:
            self._log(trainer, system, values, now)
        shown = SHOWN | {name: name.removeprefix(TERM) for name in values if name.startswith(TERM) and name not in (*SHOWN, NORM)}
        parts = " ".join(f"{label} {values[name]:.3g}" for name, label in shown.items() if name in values)
        if self._scores.summary:
            parts += f" gain {self._scores.summary['gain_db']:+z.2f} dB"
        seen = system.images_seen
        before, done, work = (self._sides.pixels(images) for images in (self._first, seen, self._total))
        speed = (seen - self._first) / (now - self._started)
        count, pace = f"{seen}/{self._total}", f"{speed:.0f} images/s"
        self.bar.progress.update(self._task, completed=done, count=count, parts=f"{pace} {parts}")
        if not self._console.is_terminal and now - self._printed >= INTERVAL:
            self._printed = now
            left = (work - done) / (done - before) * (now - self._started)
            self.bar.print(f"{count} images, {pace}, {left:.0f} s left, {parts}")

    def _log(self, trainer: Trainer, system: System, values: dict[str, float], now: float) -> None:
        speed = (system.images_seen - self._logged_images) / max(now - self._logged_at, 1e-9)
        self._logged_images, self._logged_at = system.images_seen, now
        for logger in trainer.loggers:
            logger.log_metrics(
                {**values, "images_per_second": speed, "seconds_training": self._seconds(now)}, step=system.images_seen
            )

    def _seconds(self, now: float) -> float:
        """Return the seconds of training without evaluations, over all starts of the run."""
        return self._trained + (now - self._began if self._began is not None else 0.0)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._paused = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pause = time.monotonic() - self._paused
        self._trained -= pause
        self._started, self._logged_at = self._started + pause, self._logged_at + pause

    def waiting(self, trainer: Trainer) -> dict[str, float]:
        """Return the seconds of training without evaluations and of waiting for data, over all starts of the run, and of waiting
        for the first batch. Empty for a run that nothing was trained in."""
        if not self._trained:
            return {}
        loader = _loader(trainer)
        first = loader.first if loader else 0.0
        return {"seconds_training": self._trained, "seconds_waiting": self._waited, "seconds_first_batch": first}

    def state_dict(self) -> dict[str, float]:
        return {"trained": self._seconds(time.monotonic()), "waited": self._waited}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self._trained, self._waited = float(state_dict["trained"]), float(state_dict["waited"])

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._trained, self._began = self._seconds(time.monotonic()), None
        if loader := _loader(trainer):
            self._waited += loader.waited
        system = as_system(pl_module)
        if system.images_seen > self._logged_images:
            self._log(trainer, system, _floats(system.state.recorded), time.monotonic())
        self.bar.progress.stop()
        self.bar.progress.remove_task(self._task)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.bar.progress.stop()


class PerImageProgress(Callback):
    """Print a line per picture, for systems that take minutes for each."""

    def __init__(self, console: Console) -> None:
        self.console, self.began = console, time.monotonic()

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        done, count = batch_idx + 1, int(sum(trainer.num_val_batches))
        left = (time.monotonic() - self.began) / done * (count - done)
        self.console.print(f"{done}/{count}  {batch.names[0]}, {left:.0f} s left", highlight=False, markup=False, soft_wrap=True)


def _loader(trainer: Trainer) -> ResumableLoader | None:
    """Return the loader of the training, unless there was nothing left to load."""
    loader: object = trainer.train_dataloader
    return loader if isinstance(loader, ResumableLoader) and len(loader) else None


def _floats(values: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
