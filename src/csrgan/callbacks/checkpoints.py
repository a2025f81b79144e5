"""Keeps the checkpoints of a run: the last two, and the best by the gain of S over L; and leaves when asked to."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console

from csrgan.callbacks.graceful_stop import GracefulStop
from csrgan.callbacks.scores import Scores
from csrgan.callbacks.watched import watched
from csrgan.errors import RunStopped, UserError
from csrgan.files import commit, part_path
from csrgan.loggers.run_logger import RunLogger
from csrgan.run_folder import BEST, LAST, PREVIOUS
from csrgan.runs.checkpoint import reopen
from csrgan.training.system import System


class Checkpoints(Callback):
    """Writes last.ckpt every `save_every` images, before each evaluation and when the run is asked to leave, the one before
    becoming previous.ckpt; and best.ckpt after an evaluation that beats all before it. Must come last among the callbacks: what
    the others wrote of a batch is then older than the checkpoint that holds it.

    A file that cannot be written is told, and tried again at the next save. images: the budget of the run.
    """

    def __init__(self, folder: Path, save_every: int, images: int, scores: Scores, console: Console, leaving: GracefulStop) -> None:
        self.folder, self.save_every, self.images, self.leaving = folder, save_every, images, leaving
        self.scores, self.console = scores, console
        self.saved, self.evaluated, self.best = 0, -1, float("-inf")
        self.failure: OSError | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Loggers that can forget what will be logged again."""
        for logger in trainer.loggers:
            if isinstance(logger, RunLogger):
                logger.rewind(watched(pl_module).images_seen, self.evaluated)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """A run that had ended goes on where its budget has grown: Lightning takes its pass over the images for complete."""
        held = checkpoint["csrgan"]
        each = held["images_seen"] // max(held["batches_seen"], 1)
        if self.images - held["images_seen"] >= each:
            reopen(checkpoint)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A run that was stopped between a batch and its evaluation goes on with that; Lightning would leave it out."""
        system = watched(pl_module)
        if system.state.batches_seen and self._evaluates(trainer, system) and self.evaluated != system.images_seen:
            loop = trainer.fit_loop.epoch_loop.val_loop
            trainer.validating, loop.restarting = True, False  # from its beginning
            loop.run()
            trainer.training = True

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        system = watched(pl_module)
        leaves, due = self.leaving.asked(trainer), system.images_seen - self.saved >= self.save_every
        if leaves or due or self._evaluates(trainer, system):
            self.save(trainer)
        if leaves:
            self._leave()

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if self.leaving.number:  # the checkpoint before the evaluation has all that was learned
            self._leave()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        gain = self.scores.summary["gain_db"]
        self.evaluated = watched(pl_module).images_seen
        if gain > self.best:
            self.best = gain
            self._write(trainer, self.folder / BEST)
        if trainer.state.fn == "fit":
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Write last.ckpt; the one before is kept."""
        last = self.folder / LAST
        self.saved = watched(trainer.lightning_module).images_seen
        self._write(trainer, last, before=self.folder / PREVIOUS)

    def conclude(self, trainer: Trainer) -> None:
        """The last save of a run. Raises UserError where it fails."""
        self.save(trainer)
        if self.failure:
            raise UserError(f"{self.folder / LAST}: {self.failure.strerror}; what was saved before is whole.")

    def _write(self, trainer: Trainer, file: Path, before: Path | None = None) -> None:
        part = part_path(file)
        try:
            trainer.save_checkpoint(part)
            if trainer.is_global_zero:
                if before and file.is_file():
                    file.replace(before)
                commit(part, file)
            self.failure = None
        except OSError as reason:
            part.unlink(missing_ok=True)
            self.failure = reason
            sentence = f"{file} could not be saved ({reason.strerror}); the run goes on, and tries again at its next save"
            self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _evaluates(self, trainer: Trainer, system: System) -> bool:
        """Whether an evaluation follows this batch."""
        return system.state.batches_seen % int(trainer.val_check_batch or 1) == 0

    def _leave(self) -> None:
        sentence = f"{self.saved} images are saved" if self.failure is None else f"the last save failed ({self.failure.strerror})"
        again = shlex.quote(f"resume={self.folder.parent}")
        raise RunStopped(f"stopped; {sentence}. csrgan train {again} goes on.", 128 + self.leaving.number)

    def state_dict(self) -> dict[str, float]:
        return {"best": self.best, "saved": self.saved, "evaluated": self.evaluated}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self.best, self.saved = state_dict["best"], int(state_dict["saved"])
        self.evaluated = int(state_dict.get("evaluated", self.saved))  # a checkpoint of before this was kept
