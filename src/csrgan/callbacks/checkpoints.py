"""Keeps two checkpoints of a run: the last, and the best by the gain of S over L."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning import Callback, Trainer

from csrgan.callbacks.scores import Scores
from csrgan.systems.base import System


class Checkpoints(Callback):
    """Writes last.ckpt every `save_every` images and best.ckpt after an evaluation that beats all before it."""

    def __init__(self, folder: Path, save_every: int, scores: Scores) -> None:
        self.folder, self.save_every, self.scores = folder, save_every, scores
        self.saved, self.best = 0, float("-inf")

    def on_train_batch_end(self, trainer: Trainer, pl_module: System, *_: Any) -> None:  # type: ignore[override]
        if pl_module.images_seen - self.saved >= self.save_every:
            self.saved = pl_module.images_seen
            trainer.save_checkpoint(self.folder / "last.ckpt")

    def on_validation_end(self, trainer: Trainer, pl_module: System) -> None:  # type: ignore[override]
        gain = self.scores.summary["gain_db"]
        if gain > self.best and not trainer.sanity_checking:
            self.best = gain
            trainer.save_checkpoint(self.folder / "best.ckpt")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "saved": self.saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.saved = state_dict["best"], state_dict["saved"]
