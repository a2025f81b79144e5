"""csrgan evaluate: the rows, table and panels of a checkpoint on any photographs over the frozen grid."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lightning import Trainer
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from csrgan.callbacks.scores import Scores
from csrgan.cli.train import quiet, report
from csrgan.cli.trained import trained
from csrgan.config.build import build, plain
from csrgan.data.module import Photographs


def run(config: DictConfig) -> float:
    """Score, and leave results.csv, summary.json, config.yaml and panels in the run folder. Returns the gain in dB."""
    quiet()
    system, recipe = trained(config.checkpoint, config.device)
    if not config.get("degradation"):
        with open_dict(config):
            config.degradation = recipe["degradation"]
    settings = plain(config)
    data: Photographs = build(settings["data"])
    system.examine(data.degradation)
    folder = Path(settings["run_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(settings, folder / "config.yaml")
    scores = Scores(folder, settings["panels"])
    trainer = Trainer(
        accelerator="cpu" if settings["device"] == "cpu" else "gpu",
        devices=1,
        callbacks=[scores],
        logger=False,
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=Console().is_terminal,
        enable_model_summary=False,
    )
    began = time.monotonic()
    trainer.validate(system, data, verbose=False)
    summary = scores.summary | {"images_seen": system.images_seen, "seconds": time.monotonic() - began}
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    report(Console(), summary, folder)
    return float(summary["gain_db"])
