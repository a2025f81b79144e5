"""csrgan train: seed, data, system, callbacks, loggers, trainer, fit, score, report."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightning
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, open_dict

from csrgan.api import own
from csrgan.benchmarks import cost
from csrgan.callbacks.calibration import Calibration
from csrgan.callbacks.checkpoints import Checkpoints
from csrgan.callbacks.graceful_stop import GracefulStop
from csrgan.callbacks.health import Health
from csrgan.callbacks.progress import PerImageProgress, Watch
from csrgan.callbacks.scores import Scores
from csrgan.config.build import build, checked_settings
from csrgan.console import Console, quiet
from csrgan.data.module import Photographs
from csrgan.errors import require
from csrgan.files import exclusive_lock
from csrgan.loggers.recording import log_results, recording
from csrgan.reports import table
from csrgan.run_folder import CHECKPOINTS, LAST, PREVIOUS
from csrgan.training import sanity_check
from csrgan.training.evaluated import Evaluated, as_module
from csrgan.training.execution import configure_execution
from csrgan.training.system import System
from csrgan.workflow.conclusion import conclude
from csrgan.workflow.description import describe, with_choices
from csrgan.workflow.resumed import StoppedRun
from csrgan.workflow.trained import begin

LOOKED_AT = 4  # samples of the first batch


def run(config: DictConfig) -> float:
    """Train, and leave everything in the run folder. Returns the gain of S over L in dB, for sweepers."""
    quiet()
    own.metrics()
    settings = checked_settings(config)
    folder = Path(settings["run_dir"])
    first = os.environ.get("LOCAL_RANK", "0") == "0"  # of the processes that train together
    with exclusive_lock(folder, f"run_dir={folder}") if first else nullcontext():
        kept = [folder / CHECKPOINTS / name for name in (LAST, PREVIOUS) if (folder / CHECKPOINTS / name).is_file()]
        anew = f"run_dir={folder} holds a run already: resume={folder} goes on with it; another run_dir begins anew."
        require(bool(settings["resume"]) or not kept or not first, anew)
        stopped = StoppedRun(Path(settings["resume"]), config) if settings["resume"] else None
        budget = settings["trainer"]["multiply_adds"]
        costs = cost.measure(settings) if budget or settings["trainer"]["measure_macs"] else {}
        if (
            budget
            and "multiply_adds_training" in costs
            and not (stopped and stopped.began_with["trainer"]["multiply_adds"] == budget)
        ):
            settings = within(config, settings, costs["multiply_adds_training"])
        return trained(stopped.settings(settings) if stopped else settings, folder, costs, stopped)


def trained(
    settings: dict[str, Any],
    folder: Path,
    costs: Mapping[str, float] = MappingProxyType({}),
    stopped: StoppedRun | None = None,
    also: Sequence[lightning.Callback] = (),
) -> float:
    """Train with these settings. also: further callbacks, which come first. Returns the gain of S over L in dB."""
    console = Console()
    data, system = _ready(settings, console, begins=stopped is None)
    scores = Scores(folder, settings["trainer"]["panels"])
    leaving = GracefulStop()
    budget, save_every = settings["trainer"]["images"], settings["trainer"]["save_every"]
    keep = Checkpoints(folder / CHECKPOINTS, save_every, budget, scores, console, leaving)
    watch = Watch(console, settings["trainer"]["images"], data.sides(), settings["logger"]["every"], scores)
    if stopped:
        stopped.tell(settings, console)
    sizes = {name: sum(weight.numel() for weight in network.parameters()) for name, network in system.networks().items()}
    console.print("; ".join(f"{name} {size:,} parameters" for name, size in sizes.items()), highlight=False)
    with recording(with_choices(settings), folder, build) as loggers:
        health = Health(folder, console, **settings["health"])
        right = Calibration(settings["trainer"]["calibration_images"])
        callbacks = [scores, watch] if not isinstance(system, System) else [right, scores, watch, health, leaving, keep]
        callbacks += [PerImageProgress(console)] if system.restorer.per_picture else []
        callbacks[:0] = [*also, *own_callbacks(settings)]  # Checkpoints comes last
        # Written when a checkpoint has been taken up, and not for what was refused.
        callbacks += [LambdaCallback(on_train_start=lambda *_: describe(settings, folder, stopped.changed if stopped else ()))]
        trainer = make_trainer(settings, folder, callbacks, loggers)
        began = time.monotonic()
        if not isinstance(system, System):
            describe(settings, folder)
            console.print(f"{system.restorer.kind.name} needs no training; it is scored as it is", highlight=False)
        else:
            trainer.fit(system, data, ckpt_path=str(stopped.file) if stopped else None, weights_only=True)
        spent = watch.waiting(trainer)  # before an evaluation by itself, which leaves nothing of the training's loader
        if scores.images_seen != system.images_seen:
            trainer.validate(system, data, verbose=False)
        if isinstance(system, System):
            keep.conclude(trainer)
        summary = scores.summary | {
            "images_seen": system.images_seen,
            "seconds": time.monotonic() - began,
            "seconds_restore": scores.seconds,
            **spent,
            **costs,
            **{f"{name}_parameters": size for name, size in sizes.items()},
        }
        log_results(loggers, scores.rows, summary)
    if spent:
        console.print(table.waiting(spent, settings["data"]["workers"]), highlight=False, markup=False, soft_wrap=True)
    conclude(console, summary, scores.rows, folder, system.restorer.prior.units)
    return float(summary["gain_db"])


def _ready(settings: dict[str, Any], console: Console, *, begins: bool) -> tuple[Photographs, Evaluated]:
    """The data and the system, looked at before anything is written. begins: whether the training begins, and does not go on."""
    seed_everything(settings["seed"], verbose=False)
    data: Photographs = build(settings["data"], "data")
    system = as_module(build(settings["system"], "system"))
    if refused := data.examine(console, train=True):
        console.print(table.refused(refused))
    system.recipe = settings
    system.restorer.console = console
    if settings["init_from"] and begins and isinstance(system, System):
        begin(system, settings["init_from"])
    configure_execution(system, settings["trainer"])
    if isinstance(system, System):
        _examine(system, data, settings, console)
    return data, system


def _examine(system: System, data: Photographs, settings: dict[str, Any], console: Console) -> None:
    """Look at the first batch of the largest crops, or, where nothing is compiled for its size, at a few samples of it."""
    trainer, size = settings["trainer"], settings["data"]["batch_size"]
    count = size if trainer["compile"] else min(size, LOOKED_AT)
    loader = data.train_dataloader()
    sides = data.sides()
    first = sides.largest_from
    samples = loader.collate_fn([loader.dataset[first + index] for index in range(count)])
    found = sanity_check.examine(
        system,
        samples,
        data.on_after_batch_transfer,
        count=count,
        images=trainer["images"],
        batch_size=size,
        accelerator=trainer["accelerator"],
        precision=trainer["precision"],
    )
    console.print(table.sanity_check(found, f"{count} of {size} crops of {sides[first]} px"))


def within(config: DictConfig, settings: dict[str, Any], each: float) -> dict[str, Any]:
    """The settings with as many images as a budget of multiply-adds allows, `each` of them an image; at least a batch."""
    trainer, batch = settings["trainer"], settings["data"]["batch_size"]
    images = max(1, int(trainer["multiply_adds"] * 1e12 / each) // batch) * batch
    with open_dict(config):
        for key in ("images", "validate_every", "save_every"):
            config.trainer[key] = images
    return checked_settings(config)


def own_callbacks(settings: dict[str, Any]) -> list[lightning.Callback]:
    """Those of the group `callbacks`. Raises UserError for what is none of Lightning's."""
    made = {name: build(node, f"callbacks.{name}") for name, node in (settings.get("callbacks") or {}).items() if node}
    for name, each in made.items():
        kind = f"callbacks.{name} makes a {type(each).__name__}, and no callback of Lightning's."
        require(isinstance(each, lightning.Callback), kind)
    return list(made.values())


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
