"""The files in a run's folder that describe its start: its settings, and the words that start it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from csrgan import files
from csrgan.config import announced
from csrgan.config.build import as_yaml
from csrgan.config.paths import restart_words
from csrgan.config.resume import ONE_JOB, begun_by_training, differing, original_words, same_start
from csrgan.errors import UserError
from csrgan.run_folder import CONFIG, OVERRIDES
from csrgan.tree import Settings


def describe(settings: Settings, folder: Path, changed: Sequence[str] = ()) -> None:
    """Write config.yaml and the overrides that start the run again. changed: comments at the head of config.yaml, on what changed
    during the run, after those of earlier resumptions."""
    file = folder / CONFIG
    earlier = file.read_text(encoding="utf-8").split("\n") if changed and file.is_file() else []
    remarks = [*(line for line in earlier if line.startswith("# ")), *(f"# {change}" for change in changed)]
    files.write(file, "".join(f"{line}\n" for line in remarks) + as_yaml(settings))
    files.write(folder / OVERRIDES, json.dumps(start_words()))


def start_words() -> list[str]:
    """Return the overrides that start this run or evaluation again, without its folder."""
    words = [word for word in restart_words(HydraConfig.get().overrides.task) if not word.startswith(("resume=", "run_dir="))]
    return [*words, ONE_JOB] if any(word.startswith(("sweep=", "experiment=")) for word in words) else words


def require_same_start(folder: Path, command: str) -> None:
    """Raise UserError if the folder holds a run or an evaluation that began with other words, which this one would overwrite.

    command: that would write into the folder.
    """
    if not (folder / OVERRIDES).is_file():
        return
    before, now, place = original_words(folder), start_words(), files.relative(folder)
    if same_start(before, now):
        return
    makes = "train" if begun_by_training(folder) else "evaluate"
    again = announced.command(makes, *before, f"run_dir={place}")
    kind = "a run that has saved no checkpoint" if makes == "train" else "an evaluation"
    differ = f" ({differing(before, now)})" if makes == command else ""
    raise UserError(
        f"run_dir={place} holds {kind}, which began with other words{differ}: give another run_dir, or remove the folder first."
        f" To repeat what is there: {again}"
    )


def with_choices(settings: Settings) -> Settings:
    """Return the settings for the loggers: with the name of the choice of each group."""
    choices = HydraConfig.get().runtime.choices.items()
    return settings | {"choices": {str(group): str(name) for group, name in choices if not str(group).startswith("hydra")}}
