"""A stopped run that csrgan train resumes."""

from __future__ import annotations

from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict
from rich.console import Console

from csrgan import ranks
from csrgan.config.build import checked_settings
from csrgan.config.folder import contents
from csrgan.config.paths import for_hydra
from csrgan.config.resume import (
    ONE_JOB,
    change_faults,
    changes,
    completed,
    computed_keys,
    describe_change,
    is_copy,
    original_words,
    references,
    resumed_settings,
)
from csrgan.errors import UserError
from csrgan.runs.checkpoint import newest, read, set_damaged_aside
from csrgan.tree import Settings


class StoppedRun:
    """A run to resume: its last whole checkpoint, and the settings that change from there on.

    now: the configuration by all overrides. began_with: the settings by the run's own overrides, without those of this command.
    """

    def __init__(self, folder: Path, now: DictConfig) -> None:
        self.references = references(contents(now, resolve=False))
        self.folder, self.file = folder, newest(folder)
        saved = read(self.file, "resume")["csrgan"]
        self.recipe, self.images_seen = saved["recipe"], saved["images_seen"]
        self.changed: list[str] = []
        words = [word for word in for_hydra(original_words(folder)) if word != ONE_JOB]
        config = GlobalHydra.instance().config_loader().load_configuration("train", words, RunMode.RUN)
        with open_dict(config):
            del config["hydra"]
            config.run_dir = ""
        self.computed = computed_keys(contents(now, resolve=False), contents(config, resolve=False))
        self.began_with = checked_settings(config)

    def settings(self, now: Settings) -> Settings:
        """Return the settings of the resumed run. now: those by all overrides. Raises UserError for changes without effect."""
        result = resumed_settings(self.recipe, self.began_with, now, self.computed)
        old = completed(self.recipe, self.began_with)
        faults = list(change_faults(old, result, self.folder, self.images_seen, self.references))
        if faults:
            raise UserError(*faults)
        new = [describe_change(key, values) for key, values in changes(old, result) if not is_copy(key, self.references)]
        self.changed = [f"from image {self.images_seen} on: {change}" for change in new]
        return result

    def announce(self, settings: Settings, console: Console) -> None:
        """Print what changes and whether nothing is left to train, and move a damaged last checkpoint out of the way."""
        if ranks.own().leads:
            set_damaged_aside(self.folder)
        seen, batch = self.images_seen, settings["data"]["batch_size"]
        lines = [*self.changed]
        if settings["trainer"]["images"] - seen < batch:
            lines.append(f"the run has seen all of its images, so it is only scored again; trainer.images={2 * seen} trains on")
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
