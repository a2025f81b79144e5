"""A stopped run that csrgan train goes on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from csrgan.config.build import checked_settings
from csrgan.config.paths import for_hydra
from csrgan.config.resume import (
    ONE_JOB,
    change_faults,
    changes,
    describe_change,
    is_copy,
    original_words,
    references,
    resumed_settings,
)
from csrgan.errors import UserError
from csrgan.runs.checkpoint import lay_aside, newest, read


class StoppedRun:
    """A run that is to go on: its last whole checkpoint, and what changes from there on.

    began_with: the settings that its own overrides give, without those of this command. now: the configuration by all overrides.
    """

    def __init__(self, folder: Path, now: DictConfig) -> None:
        self.tied = references(OmegaConf.to_container(now, resolve=False))
        self.folder, self.file = folder, newest(folder)
        held = read(self.file, "resume")["csrgan"]
        self.recipe, self.images_seen = held["recipe"], held["images_seen"]
        self.changed: list[str] = []
        words = [word for word in for_hydra(original_words(folder)) if word != ONE_JOB]
        config = GlobalHydra.instance().config_loader().load_configuration("train", words, RunMode.RUN)
        with open_dict(config):
            del config["hydra"]
            config.run_dir = ""
        self.began_with = checked_settings(config)

    def settings(self, now: dict[str, Any]) -> dict[str, Any]:
        """What the run goes on with. now: the settings by all overrides. Raises UserError for changes that cannot take effect."""
        result = resumed_settings(self.recipe, self.began_with, now)
        faults = list(change_faults(self.recipe, result, self.folder, self.images_seen, self.tied))
        if faults:
            raise UserError(*faults)
        new = [describe_change(key, values) for key, values in changes(self.recipe, result) if not is_copy(key, self.tied)]
        self.changed = [f"from image {self.images_seen} on: {change}" for change in new]
        return result

    def tell(self, settings: dict[str, Any], console: Console) -> None:
        """Say what changes, and where nothing is left to train; a damaged last checkpoint is moved out of the way."""
        lay_aside(self.folder)
        seen, batch = self.images_seen, settings["data"]["batch_size"] * settings["trainer"]["devices"]
        lines = [*self.changed]
        if settings["trainer"]["images"] - seen < batch:
            lines.append(f"the run has seen all of its images: it is only scored again; trainer.images={2 * seen} trains on")
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
