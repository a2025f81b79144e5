"""A restorer in Lightning's hands: scores of an evaluation, predictions, and a checkpoint that loads."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from lightning import LightningModule
from torch import Tensor, nn

from csrgan.arguments import Recorded, description
from csrgan.errors import UserError, require
from csrgan.evaluation import results
from csrgan.records import Batch, Restoration
from csrgan.restorers.restorer import Restorer


class Evaluated(Recorded, LightningModule):
    """Keeps a row for each picture of an evaluation, and their summary, which it logs as `valid/NAME`.

    restorer: what restores. rows: of the last evaluation, see `results.row`. summary: of these, see `results.summarise`.
    recipe: what it was made from, in a command; otherwise its own description.

    >>> import csrgan, lightning
    >>> data = csrgan.Photographs(train=["astronaut"], valid=["chelsea"], images=8, batch_size=4, crop=32, evaluation_crop=32)
    >>> quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    >>> trainer = lightning.Trainer(accelerator="cpu", max_epochs=1, **quiet)
    >>> system = csrgan.CSRGAN()
    >>> trainer.fit(system, data)
    >>> scores = trainer.validate(system, data, verbose=False)[0]
    >>> scores["valid/psnr_restored"] == system.summary["psnr_restored"]
    True
    >>> trainer.save_checkpoint("mine.ckpt")
    >>> csrgan.load("mine.ckpt").predicts
    ('blur_std', 'scale', 'noise_std')
    """

    def __init__(self, restorer: Restorer) -> None:
        super().__init__()
        self.restorer = restorer
        self.rows: list[results.Row] = []
        self.summary: dict[str, float] = {}
        self.recipe: Mapping[str, Any] = {}

    @property
    def images_seen(self) -> int:
        """Of its training; 0 where it is not trained."""
        return 0

    def networks(self) -> dict[str, nn.Module]:
        """The networks that are trained, by name; none here."""
        return {}

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Restoration:
        """S and theta^ of these pictures, in [0,1]."""
        return self.restorer.restore(low)

    def predict_step(self, batch: Any, batch_idx: int = 0) -> Restoration:
        """Of a `Batch`, or of L itself."""
        return self.restorer.restore(batch.low if isinstance(batch, Batch) else batch)

    def validation_step(self, batch: Batch, batch_idx: int = 0) -> Restoration:  # type: ignore[override]
        return self.restorer.restore_batch(batch)

    def on_validation_epoch_start(self) -> None:
        self.rows = []

    def on_validation_batch_end(self, outputs: Any, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.rows.append(results.row(batch, outputs, self.restorer.prior))

    def on_validation_epoch_end(self) -> None:
        self.summary = results.summarise(self.rows)
        named = {f"valid/{name}": torch.tensor(value, dtype=torch.float64) for name, value in self.summary.items()}
        self.log_dict({**named, "step": torch.tensor(float(self.images_seen))})  # by which loggers count, in place of batches

    def described(self) -> Mapping[str, Any]:
        """What it can be built from again. Empty, with a warning, where something in it cannot say how it was made."""
        if self.recipe:
            return self.recipe
        try:
            system = description(self, "system")
            return {"system": system, "degradation": system["degradation"]}
        except UserError as reason:
            warnings.warn(f"csrgan.load will not build this checkpoint: {reason}", stacklevel=2)
            return {}

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | os.PathLike[str], map_location: torch.device | str = "cpu", **arguments: Any
    ) -> Any:
        """The system of a checkpoint, from its own description; with arguments, `cls(**arguments)` with its weights.

        Raises UserError for no checkpoint of csrgan's, and for one of another system.
        """
        if arguments:
            content = torch.load(checkpoint_path, map_location=map_location, weights_only=True)
            made = cls(**arguments)
            made.on_load_checkpoint(content)
            made.load_state_dict(content["state_dict"])
            return made.to(map_location)
        load = import_module("csrgan").load  # of the API, a room above
        system: Any = load(checkpoint_path, str(map_location)).system
        require(isinstance(system, cls), f"{checkpoint_path} holds a {type(system).__name__}, and no {cls.__name__}.")
        return system


def as_module(made: object) -> Evaluated:
    """A system as it is; a restorer in a module that scores it. Raises UserError for anything else."""
    if isinstance(made, Restorer):
        return Evaluated(made)
    if not isinstance(made, Evaluated):
        raise UserError(f"system makes a {type(made).__name__}, and neither a system nor a restorer of csrgan's.")
    return made
