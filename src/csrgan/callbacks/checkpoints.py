"""Save the last two checkpoints of a run and the one with the best gain of S over L; stop the run when a signal asks to."""

from __future__ import annotations

import time
from pathlib import Path

from lightning import Callback, LightningModule, Trainer
from rich.console import Console

from csrgan.callbacks.graceful_stop import GracefulStop
from csrgan.callbacks.scores import Scores
from csrgan.callbacks.watched import as_system
from csrgan.errors import RunStopped, UserError
from csrgan.files import commit, part_path, relative
from csrgan.loggers.run_logger import RunLogger
from csrgan.run_folder import BEST, LAST, PREVIOUS
from csrgan.runs.checkpoint import reopen
from csrgan.runs.checkpoint_place import earlier_save, to_continue
from csrgan.training import collectives
from csrgan.training.system import System
from csrgan.tree import Settings


class Checkpoints(Callback):
    """Write last.ckpt every `save_every` images, before each evaluation and when a signal asks to stop; the file before becomes
    previous.ckpt. Write best.ckpt after an evaluation that beats all before it. Must be the last callback, so that whatever the
    others write about a batch is older than the checkpoint that contains the batch.

    A file that cannot be written is reported, and tried again at the next save. images: the budget of the run.
    """

    def __init__(self, folder: Path, save_every: int, images: int, scores: Scores, console: Console, stop: GracefulStop) -> None:
        self._folder, self._save_every, self._images, self._stop = folder, save_every, images, stop
        self._scores, self._console = scores, console
        self._saved, self._evaluated, self._best = 0, -1, float("-inf")
        self._failure: OSError | None = None
        self._before, self._began = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, with that before a resume up to its checkpoint."""
        return self._before + time.monotonic() - self._began

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let csrgan's loggers drop the rows that will be logged again."""
        for logger in trainer.loggers:
            if isinstance(logger, RunLogger):
                logger.rewind(as_system(pl_module).images_seen, self._evaluated)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: Settings) -> None:
        """Reopen a finished run whose budget has grown: Lightning would take its pass over the images for complete."""
        progress = checkpoint["csrgan"]
        batch_size = progress["images_seen"] // max(progress["batches_seen"], 1)
        if self._images - progress["images_seen"] >= batch_size:
            reopen(checkpoint)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Run the evaluation of a run that was stopped just before it; Lightning would skip it."""
        system = as_system(pl_module)
        if system.state.batches_seen and self._evaluates(trainer, system) and self._evaluated != system.images_seen:
            loop = trainer.fit_loop.epoch_loop.val_loop
            trainer.validating, loop.restarting = True, False  # from the first picture
            loop.run()
            trainer.training = True

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        system = as_system(pl_module)
        stops, due = self._stop.requested(trainer), system.images_seen - self._saved >= self._save_every
        if stops or due or self._evaluates(trainer, system):
            self.save(trainer)
        if stops:
            self._stop_run(stops)

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if self._stop.number:  # the checkpoint from before the evaluation holds everything learned
            self._stop_run(self._stop.number)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        gain = self._scores.summary["gain_db"]
        self._evaluated = as_system(pl_module).images_seen
        if gain > self._best:
            self._best = gain
            self._write(trainer, self._folder / BEST)
        if trainer.state.fn == "fit":
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Write last.ckpt, and keep the one before."""
        last = self._folder / LAST
        self._saved = as_system(trainer.lightning_module).images_seen
        self._write(trainer, last, before=self._folder / PREVIOUS)

    def conclude(self, trainer: Trainer) -> None:
        """Save at the end of the run. Raises UserError where that fails."""
        self.save(trainer)
        if self._failure:
            raise UserError(f"{self._folder / LAST}: {self._failure.strerror}; the checkpoint saved before is intact.")

    def _write(self, trainer: Trainer, file: Path, before: Path | None = None) -> None:
        if trainer.is_global_zero:
            self._write_alone(trainer, file, before)
        collectives.barrier()  # a process that ends sooner could take this one with it

    def _write_alone(self, trainer: Trainer, file: Path, before: Path | None) -> None:
        part = part_path(file)
        try:
            trainer.save_checkpoint(part)
            if before and file.is_file():
                file.replace(before)
            commit(part, file)
            self._failure = None
        except OSError as reason:
            part.unlink(missing_ok=True)
            self._failure = reason
            sentence = (
                f"{relative(file)} could not be saved ({reason.strerror}); the run continues and tries again at its next save"
            )
            self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _evaluates(self, trainer: Trainer, system: System) -> bool:
        """Return whether an evaluation follows this batch."""
        return system.state.batches_seen % int(trainer.val_check_batch or 1) == 0

    def _stop_run(self, signal: int) -> None:
        run = self._folder.parent
        if self._failure is None:
            sentence = f"{self._saved} images are saved. {to_continue(run)}"
        else:
            sentence = f"the last save failed ({self._failure.strerror}); {earlier_save(run)}"
        raise RunStopped(f"stopped; {sentence}", 128 + signal)

    def state_dict(self) -> dict[str, float]:
        return {"best": self._best, "saved": self._saved, "evaluated": self._evaluated, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self._best, self._saved = state_dict["best"], int(state_dict["saved"])
        self._evaluated = int(state_dict.get("evaluated", self._saved))  # missing in old checkpoints
        self._before = state_dict.get("seconds", 0.0)  # missing too
