"""csrgan train with several devices: the same command in one process for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from csrgan.config.paths import restart_words
from csrgan.console import is_silent
from csrgan.run_folder import SUMMARY
from csrgan.runs import together


def run(config: DictConfig) -> float:
    """Train in as many processes as there are devices. Return the gain of S over L in dB.

    The environment names the folders of choices to all processes.
    """
    hydra = cast(DictConfig, HydraConfig.get())
    words = [word for word in restart_words(hydra.overrides.task) if not word.startswith(("resume=", "run_dir="))]
    single = ["hydra.mode=RUN"] if any(word.startswith(("sweep=", "experiment=")) for word in words) else []
    folder = Path(config.run_dir)
    resume = [f"resume={folder}"] if config.resume else []
    command = ["train", *words, *single, f"run_dir={folder}", *resume]
    together.run(command, int(config.trainer.devices), quiet=is_silent())
    return float(json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["gain_db"])
