"""What a run says in its folder of how it was started: its settings, and the words from which it can be started again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from csrgan import files
from csrgan.config.build import as_yaml
from csrgan.config.paths import restart_words
from csrgan.config.resume import ONE_JOB
from csrgan.run_folder import CONFIG, OVERRIDES


def describe(settings: dict[str, Any], folder: Path, changed: Sequence[str] = ()) -> None:
    """config.yaml, which begins with what has changed in the course of the run, and the overrides from which it can be started
    again."""
    file = folder / CONFIG
    before = file.read_text(encoding="utf-8").split("\n") if changed and file.is_file() else []
    remarks = [*(line for line in before if line.startswith("# ")), *(f"# {change}" for change in changed)]
    files.write(file, "".join(f"{line}\n" for line in remarks) + as_yaml(settings))
    overrides = [word for word in restart_words(HydraConfig.get().overrides.task) if not word.startswith(("resume=", "run_dir="))]
    if any(word.startswith(("sweep=", "experiment=")) for word in overrides):
        overrides.append(ONE_JOB)
    files.write(folder / OVERRIDES, json.dumps(overrides))


def with_choices(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as loggers are told them, with the name of the choice of each group."""
    chosen = HydraConfig.get().runtime.choices.items()
    return settings | {"choices": {str(group): str(name) for group, name in chosen if not str(group).startswith("hydra")}}
