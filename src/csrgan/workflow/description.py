"""The files in a run's folder that describe its start: its settings, and the words that start it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from csrgan import files
from csrgan.config.build import as_yaml
from csrgan.config.paths import restart_words
from csrgan.config.resume import ONE_JOB
from csrgan.run_folder import CONFIG, OVERRIDES
from csrgan.tree import Settings


def describe(settings: Settings, folder: Path, changed: Sequence[str] = ()) -> None:
    """Write config.yaml and the overrides that start the run again. changed: comments at the head of config.yaml, on what changed
    during the run, after those of earlier resumptions."""
    file = folder / CONFIG
    earlier = file.read_text(encoding="utf-8").split("\n") if changed and file.is_file() else []
    remarks = [*(line for line in earlier if line.startswith("# ")), *(f"# {change}" for change in changed)]
    files.write(file, "".join(f"{line}\n" for line in remarks) + as_yaml(settings))
    overrides = [word for word in restart_words(HydraConfig.get().overrides.task) if not word.startswith(("resume=", "run_dir="))]
    if any(word.startswith(("sweep=", "experiment=")) for word in overrides):
        overrides.append(ONE_JOB)
    files.write(folder / OVERRIDES, json.dumps(overrides))


def with_choices(settings: Settings) -> Settings:
    """Return the settings for the loggers: with the name of the choice of each group."""
    choices = HydraConfig.get().runtime.choices.items()
    return settings | {"choices": {str(group): str(name) for group, name in choices if not str(group).startswith("hydra")}}
