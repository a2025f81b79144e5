"""csrgan train: seed, data, system, callbacks, loggers, trainer, fit, score, report."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from csrgan.callbacks.checkpoints import Checkpoints
from csrgan.callbacks.progress import Lines, Watch
from csrgan.callbacks.scores import Scores
from csrgan.cli import cost, relative
from csrgan.cli.tracking import close_with, recording
from csrgan.config.build import build, plain
from csrgan.config.resume import FILE as OVERRIDES
from csrgan.data.module import Photographs
from csrgan.evaluation.results import Row, by_blur, by_set
from csrgan.fault import check
from csrgan.reports import table
from csrgan.systems.base import System


def run(config: DictConfig) -> float:
    """Train, and leave everything in the run folder. Returns the gain of S over L in dB, for sweepers."""
    quiet()
    settings = plain(config)
    costs = cost.measure(settings) if settings["trainer"]["multiply_adds"] or settings["trainer"]["count"] else {}
    if settings["trainer"]["multiply_adds"] and "multiply_adds_training" in costs:
        settings = within(config, settings, costs["multiply_adds_training"])
    folder = Path(settings["run_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    seed_everything(settings["seed"], verbose=False)
    data: Photographs = build(settings["data"])
    system: System = build(settings["system"])
    if refused := data.examine(console, train=True):
        console.print(table.refused(refused))
    system.recipe = settings
    system.console = console
    prepare(system, settings["trainer"])
    scores = Scores(folder, settings["trainer"]["panels"])
    keep = Checkpoints(folder / "checkpoints", settings["trainer"]["save_every"], scores)
    watch = Watch(console, settings["trainer"]["images"], settings["logger"]["every"], scores)
    describe(settings, folder)
    sizes = {name: sum(weight.numel() for weight in network.parameters()) for name, network in system.networks().items()}
    console.print("; ".join(f"{name} {size:,} parameters" for name, size in sizes.items()), highlight=False)
    with recording(settings, folder) as loggers:
        callbacks = [scores, watch] if system.untrained else [scores, keep, watch]
        callbacks += [Lines(console)] if system.per_picture else []
        trainer = make_trainer(settings, folder, callbacks, loggers)
        began = time.monotonic()
        if system.untrained:
            console.print(f"{type(system).__name__} needs no training; it is scored as it is", highlight=False)
        else:
            trainer.fit(system, data, ckpt_path=resume_from(settings), weights_only=True)
        if scores.images_seen != system.images_seen:
            trainer.validate(system, data, verbose=False)
        if not system.untrained:
            trainer.save_checkpoint(folder / "checkpoints" / "last.ckpt")
        spent = watch.waiting(trainer)
        summary = scores.summary | {
            "images_seen": system.images_seen,
            "seconds": time.monotonic() - began,
            "seconds_restore": scores.seconds,
            **spent,
            **costs,
            **{f"{name}_parameters": size for name, size in sizes.items()},
        }
        close_with(loggers, scores.rows, summary)
    if spent:
        console.print(table.waiting(spent, settings["data"]["workers"]), highlight=False, soft_wrap=True)
    conclude(console, summary, scores.rows, folder)
    return float(summary["gain_db"])


def within(config: DictConfig, settings: dict[str, Any], each: float) -> dict[str, Any]:
    """The settings with as many images as a budget of multiply-adds allows, `each` of them an image; at least a batch."""
    trainer, batch = settings["trainer"], settings["data"]["batch_size"]
    images = max(1, int(trainer["multiply_adds"] * 1e12 / each) // batch) * batch
    with open_dict(config):
        for key in ("images", "validate_every", "save_every"):
            config.trainer[key] = images
    return plain(config)


def quiet() -> None:
    """Leave the screen to what a user can act on."""
    os.environ.setdefault("WANDB_SILENT", "true")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


def prepare(system: System, trainer: dict[str, Any]) -> None:
    """Memory layout and compilation of the networks."""
    available = trainer["accelerator"] != "gpu" or torch.cuda.is_available()
    check(available, "trainer.accelerator=gpu: torch finds no GPU here; choose trainer=cpu.")
    for network in system.children():
        if trainer["channels_last"]:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if trainer["compile"]:
            network.compile()


def make_trainer(settings: dict[str, Any], folder: Path, callbacks: list[lightning.Callback], loggers: list[Logger]) -> Trainer:
    """One pass over a stream of `images` samples; budgets count images, so Lightning's own limits are not used."""
    trainer, batch = settings["trainer"], settings["data"]["batch_size"]
    batches = trainer["images"] // batch
    return Trainer(
        accelerator=trainer["accelerator"],
        devices=trainer["devices"],
        precision=trainer["precision"],
        deterministic=trainer["deterministic"],
        use_distributed_sampler=False,  # the stream divides itself among the processes
        max_epochs=1,
        check_val_every_n_epoch=None,
        val_check_interval=max(1, min(batches, round(trainer["validate_every"] / batch))),
        num_sanity_val_steps=0,
        default_root_dir=folder,
        callbacks=callbacks,
        logger=loggers,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def describe(settings: dict[str, Any], folder: Path) -> None:
    """config.yaml, and the overrides from which the run can be started again."""
    from hydra.core.hydra_config import HydraConfig

    OmegaConf.save(settings, folder / "config.yaml")
    overrides = [word for word in HydraConfig.get().overrides.task if not word.startswith(("resume=", "run_dir="))]
    if any(word.startswith(("sweep=", "experiment=")) for word in overrides):
        overrides.append("hydra.mode=RUN")  # this job of it
    (folder / OVERRIDES).write_text(json.dumps(overrides), encoding="utf-8")


def resume_from(settings: dict[str, Any]) -> str | None:
    return str(Path(settings["resume"]) / "checkpoints" / "last.ckpt") if settings["resume"] else None


def conclude(console: Console, summary: dict[str, float], rows: list[Row], folder: Path) -> None:
    """Write summary.json and print its tables."""
    bins, sets = by_blur(rows), by_set(rows)
    whole = summary | {"by_blur": bins} | ({"by_set": sets} if sets else {})
    (folder / "summary.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for made in (table.scores(summary), table.parameters(summary), table.blurs(bins), table.sets(sets)):
        if made:
            console.print(made)
    console.print(f"{relative(folder)}", highlight=False, soft_wrap=True)
