"""A restorer as a LightningModule: evaluation, prediction, and checkpoints that load."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from lightning import LightningModule
from torch import Tensor, nn

from csrgan.arguments import Recorded, description
from csrgan.errors import UserError
from csrgan.evaluation import results
from csrgan.records import Batch, Restoration
from csrgan.restorers.restorer import Restorer
from csrgan.training import shared_out
from csrgan.tree import Settings

Loaded = TypeVar("Loaded", bound="Evaluated")


class Evaluated(Recorded, LightningModule):
    """Keeps a row for each picture of an evaluation, and logs their summary as `valid/NAME`.

    restorer: restores the pictures. rows: of the last evaluation, see `results.row`. summary: of the rows, see `results.summarise`.
    recipe: the settings that a command built it from; empty: see `described`.

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
        self.recipe: Settings = {}

    @property
    def images_seen(self) -> int:
        """Images seen in training; 0 where it is not trained."""
        return 0

    def networks(self) -> dict[str, nn.Module]:
        """Return the networks that are trained, by name; none here."""
        return {}

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Restoration:
        """Restore pictures in [0,1]: S and theta^."""
        return self.restorer.restore(low)

    def predict_step(self, batch: Batch | Tensor, batch_idx: int = 0) -> Restoration:
        """Restore a `Batch`, or L itself."""
        return self.restorer.restore(batch.low if isinstance(batch, Batch) else batch)

    def validation_step(self, batch: Batch, batch_idx: int = 0) -> Restoration:  # type: ignore[override]
        return self.restorer.restore_batch(batch)

    def on_validation_epoch_start(self) -> None:
        self.rows = []

    def on_validation_batch_end(self, outputs: object, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        assert isinstance(outputs, Restoration)
        self.rows.append(results.row(batch, outputs, self.restorer.prior))

    def on_validation_epoch_end(self) -> None:
        self.rows = shared_out.collected(self.rows, self.trainer.val_dataloaders)
        self.summary = results.summarise(self.rows)
        named = {f"valid/{name}": torch.tensor(value, dtype=torch.float64) for name, value in self.summary.items()}
        self.log_dict({**named, "step": torch.tensor(float(self.images_seen))})  # loggers count images, not batches

    def described(self) -> Settings:
        """Return the settings to build it from. Empty, with a warning, where a part does not record its arguments."""
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
        cls: type[Loaded], checkpoint_path: str | os.PathLike[str], map_location: torch.device | str = "cpu", **arguments: Any
    ) -> Loaded:
        """Build the system of a checkpoint from its own description; with arguments, load its weights into `cls(**arguments)`.

        Raises UserError for a file that is no checkpoint of csrgan, and for a checkpoint of another system.
        """
        if arguments:
            content = torch.load(checkpoint_path, map_location=map_location, weights_only=True)
            module = cls(**arguments)
            module.on_load_checkpoint(content)
            module.load_state_dict(content["state_dict"])
            return module.to(map_location)
        load = import_module("csrgan").load  # of the API, which may not be imported here
        system = load(checkpoint_path, str(map_location)).system
        if not isinstance(system, cls):
            raise UserError(f"{checkpoint_path} holds the system {type(system).__name__}, not {cls.__name__}.")
        return system


def as_module(system: object) -> Evaluated:
    """Return a system as it is, and a restorer in a module that evaluates it. Raises UserError for anything else."""
    if isinstance(system, Restorer):
        return Evaluated(system)
    if not isinstance(system, Evaluated):
        raise UserError(f"system builds a {type(system).__name__}, which is neither a system nor a restorer of csrgan.")
    return system
