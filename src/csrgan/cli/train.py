"""csrgan train: seed, data, system, callbacks, loggers, trainer, fit, score, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import MappingProxyType

import lightning
import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, open_dict

from csrgan import ranks
from csrgan.api import own as own_parts
from csrgan.api.evaluation import try_own_metrics
from csrgan.benchmarks import cost, speed
from csrgan.callbacks.bar import Scoring
from csrgan.callbacks.calibration import Calibration
from csrgan.callbacks.checkpoints import Checkpoints
from csrgan.callbacks.graceful_stop import GracefulStop
from csrgan.callbacks.health import Health
from csrgan.callbacks.progress import PerImageProgress, Watch
from csrgan.callbacks.scores import Scores
from csrgan.cli.interruption import CTRL_C
from csrgan.config.build import build, checked_settings
from csrgan.console import Console, quiet, silence
from csrgan.data.module import Photographs
from csrgan.data.paired import Paired
from csrgan.errors import require
from csrgan.files import exclusive_lock, relative
from csrgan.loggers.recording import log_results, recording
from csrgan.reports import table
from csrgan.restorers import ood_fit
from csrgan.rules import listed
from csrgan.run_folder import CHECKPOINTS
from csrgan.runs.checkpoint_place import to_continue
from csrgan.runs.given_places import free
from csrgan.training import data_parallel, sanity_check, unknown_theta, warm_up
from csrgan.training.data_parallel import lost_processes
from csrgan.training.evaluated import Evaluated, as_module
from csrgan.training.execution import configure_execution
from csrgan.training.sanity_check import SanityCheck
from csrgan.training.signals import PlainSignals, ctrl_c_passed_on
from csrgan.training.system import System
from csrgan.tree import Settings
from csrgan.workflow.conclusion import conclude
from csrgan.workflow.description import describe, require_same_start, with_choices
from csrgan.workflow.resumed import StoppedRun
from csrgan.workflow.trained import init_from

TRIAL = 8  # batches; a training that is not longer only tries the command out
CHECKED = 4  # samples of the first batch, where nothing is compiled for its size


def run(config: DictConfig) -> float:
    """Train, and write everything into the run folder. Return the gain of S over L in dB, for sweepers."""
    quiet()
    own_parts.register_metrics(listed(config.evaluation.metrics))
    settings = checked_settings(config)
    folder, leads = Path(settings["run_dir"]), ranks.own().leads
    alone: AbstractContextManager[None] = exclusive_lock(folder, f"run_dir={relative(folder)}") if leads else silence()
    with alone:
        if leads and not settings["resume"]:
            free(folder)  # as it was before the imports; another process may have begun since
            require_same_start(folder, "train")
        stopped = StoppedRun(Path(settings["resume"]), config) if settings["resume"] else None
        costs = cost.measure(settings) if settings["trainer"]["multiply_adds"] or settings["trainer"]["measure_macs"] else {}
        if images := _images_of_budget(settings, costs, stopped):
            settings = with_images(config, settings, images)
            Console().print(f"the budget allows {settings['trainer']['images']:,} images", highlight=False)
        return trained(stopped.settings(settings) if stopped else settings, folder, costs, stopped)


def trained(
    settings: Settings,
    folder: Path,
    costs: Mapping[str, float] = MappingProxyType({}),
    stopped: StoppedRun | None = None,
    also: Sequence[lightning.Callback] = (),
) -> float:
    """Train with these settings and return the gain of S over L in dB. also: more callbacks, which run first."""
    console, leads = Console(), ranks.own().leads
    data, system = _prepared(settings, console, from_start=stopped is None)
    CTRL_C.raise_lost()  # by the import of a part that the user brings
    scores, stop = Scores(folder, settings["trainer"]["panels"]), GracefulStop(folder)
    images, save_every = settings["trainer"]["images"], settings["trainer"]["save_every"]
    saver = Checkpoints(folder / CHECKPOINTS, save_every, images, scores, console, stop)
    progress = Watch(console, images, data.sides(), settings["logger"]["every"], scores)
    if stopped:
        stopped.announce(settings, console)
    sizes = {name: sum(weight.numel() for weight in network.parameters()) for name, network in system.networks().items()}
    console.print("; ".join(f"{name} {size:,} parameters" for name, size in sizes.items()), highlight=False)
    count, crop = len(data.val_dataloader()), settings["evaluation"]["crop"]
    size = f" of up to {crop} px" if crop else ""
    console.print(f"each evaluation scores {count} pictures{size} (evaluation.grid and .crop)", highlight=False, soft_wrap=True)
    recorded: AbstractContextManager[list[Logger]] = recording(with_choices(settings), folder, build) if leads else nullcontext([])
    with recorded as loggers, ctrl_c_passed_on(), lost_processes(to_continue(folder)):
        calibration = Calibration(settings["trainer"]["calibration_images"], progress.bar)
        shown = [scores, progress, PerImageProgress(console) if system.restorer.per_picture else Scoring(progress.bar)]
        trains = isinstance(system, System)
        callbacks = [*also, *own_callbacks(settings), *([calibration, *shown] if trains else [PlainSignals(), *shown])]
        callbacks += [Health(folder, console, **settings["health"]), stop, saver] if trains else []  # Checkpoints comes last
        # The description is written once a checkpoint has been accepted, and not for a refused one.
        if leads:
            callbacks += [LambdaCallback(on_train_start=lambda *_: describe(settings, folder, stopped.changed if stopped else ()))]
        trainer = make_trainer(settings, folder, callbacks, loggers)
        if not isinstance(system, System):
            if leads:
                describe(settings, folder)
            console.print(f"{system.restorer.kind.name} needs no training and is scored as it is", highlight=False)
        else:
            trainer.fit(system, data, ckpt_path=str(stopped.file) if stopped else None, weights_only=True)
        waiting = progress.waiting(trainer)  # before a separate evaluation, which replaces the training's loader
        if scores.images_seen != system.images_seen:
            trainer.validate(system, data, verbose=False)
        if isinstance(system, System):
            if leads and settings["trainer"]["ood_images"] and system.images_seen >= images:
                console.print("learning what pictures unlike those of the training look like", highlight=False)
                system.restorer.ood = ood_fit.fit(system.restorer, data, settings["trainer"]["ood_images"], system.device)
            saver.conclude(trainer)
        summary = scores.summary | {
            "images_seen": system.images_seen,
            "seconds": saver.seconds,
            "seconds_restore": scores.seconds,
            **waiting,
            **costs,
            **{f"{name}_parameters": size for name, size in sizes.items()},
        }
        log_results(loggers, scores.rows, summary)
    if isinstance(system, System) and (losses := table.losses({name: float(one) for name, one in system.state.recorded.items()})):
        console.print(losses)
    if waiting:
        console.print(table.waiting(waiting, settings["data"]["workers"]), highlight=False, markup=False, soft_wrap=True)
    if leads:
        conclude(console, summary, scores.rows, folder, system.restorer.prior.units)
    return float(summary["gain_db"])


def _prepared(settings: Settings, console: Console, *, from_start: bool) -> tuple[Photographs, Evaluated]:
    """Build the data and the system, and check both before anything is written. from_start: not a resumed training."""
    seed_everything(settings["seed"], verbose=False)
    data: Photographs = build(settings["data"], "data")
    system = as_module(build(settings["system"], "system"))
    if refused := data.examine(console, train=True):
        console.print(table.refused(refused))
    system.recipe = settings
    system.restorer.console = console
    if settings["init_from"] and from_start and isinstance(system, System):
        init_from(system, settings["init_from"])
    configure_execution(system, settings["trainer"])  # raises where there is no such GPU
    try_own_metrics(data, torch.device("cuda", ranks.own().local) if settings["trainer"]["accelerator"] == "gpu" else "cpu")
    if isinstance(system, System):
        unknown_theta.examine(system, data)
        _tell_calibration(system, data, settings["trainer"]["calibration_images"], console)
        images, batch_size = settings["trainer"]["images"], settings["data"]["batch_size"]
        for sentence in warm_up.too_long(system, images, batch_size) if images > TRIAL * batch_size else ():
            console.print(sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)
        result, batch = _checked_training(system, data, settings)
        # The networks are untrained here: of a resumed run, whose checkpoint is read later, the values would mislead.
        console.print(table.sanity_check(result, batch) if from_start else table.memory(result), highlight=False)
    return data, system


def _tell_calibration(system: System, data: Photographs, pictures: int, console: Console) -> None:
    """Say on what intervals are calibrated if data.valid holds pairs: their own L may have no known degradation."""
    if pictures and system.restorer.uncertain and isinstance(data.pictures("data.valid"), Paired):
        sentence = (
            "intervals are calibrated on the sharp pictures of data.valid, degraded by the protocol, not on the L given there"
        )
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def _checked_training(system: System, data: Photographs, settings: Settings) -> tuple[SanityCheck, str]:
    """Run the sanity check on the first batch of the largest crops or, if nothing is compiled for its size, on a few samples.

    Returns its findings, and a description of the batch.
    """
    own = ranks.own()
    trainer, size = settings["trainer"], settings["data"]["batch_size"] // own.world
    count = size if trainer["compile"] else min(size, CHECKED)
    loader = data.train_dataloader()
    sides = data.sides()
    first_sample = sides.largest_from
    samples = loader.collate_fn([loader.dataset[first_sample + index] for index in range(count)])
    result = sanity_check.examine(
        system,
        samples,
        data.on_after_batch_transfer,
        count=count,
        images=trainer["images"],
        batch_size=size,
        accelerator=trainer["accelerator"],
        precision=trainer["precision"],
        **({"devices": [own.local]} if own.world > 1 and trainer["accelerator"] == "gpu" else {}),
    )
    return result, f"{count} of {size} crops of {sides[first_sample]} px"


def _images_of_budget(settings: Settings, costs: Mapping[str, float], stopped: StoppedRun | None) -> float | None:
    """Return how many images a budget of multiply-adds or minutes allows; None without one, or if a stopped run had the same."""
    trainer = settings["trainer"]
    budgets = {key: trainer[key] for key in ("multiply_adds", "minutes")}
    if stopped and all(stopped.began_with["trainer"].get(key) == budget for key, budget in budgets.items()):
        return None
    if budgets["multiply_adds"]:
        per_image = costs.get("multiply_adds_training")
        return budgets["multiply_adds"] * 1e12 / per_image if per_image else None
    seconds = speed.seconds_per_image(settings) if budgets["minutes"] else None
    return 60 * budgets["minutes"] / seconds if seconds else None


def with_images(config: DictConfig, settings: Settings, budget: float) -> Settings:
    """Return the settings with a budget of so many images, in whole batches, but at least one."""
    batch = settings["data"]["batch_size"]
    images = max(1, int(budget) // batch) * batch
    with open_dict(config):
        for key in ("images", "validate_every", "save_every"):
            config.trainer[key] = images
    return checked_settings(config)


def own_callbacks(settings: Settings) -> list[lightning.Callback]:
    """Build the callbacks of the group `callbacks`. Raises UserError for one that is not a Lightning callback."""
    nodes = settings.get("callbacks") or {}
    named = {"callbacks": nodes} if "_target_" in nodes else {f"callbacks.{name}": node for name, node in nodes.items() if node}
    callbacks = {place: build(node, place, keep_empty=True) for place, node in named.items()}
    for place, callback in callbacks.items():
        sentence = f"{place} builds a {type(callback).__name__}, which is not a Lightning callback."
        require(isinstance(callback, lightning.Callback), sentence)
    return list(callbacks.values())


def make_trainer(settings: Settings, folder: Path, callbacks: list[lightning.Callback], loggers: list[Logger]) -> Trainer:
    """Return a trainer for one pass over a stream of `images` samples: budgets count images, so Lightning's limits stay unused."""
    trainer, batch, own = settings["trainer"], settings["data"]["batch_size"], ranks.own()
    batches = trainer["images"] // batch
    return Trainer(
        accelerator=trainer["accelerator"],
        devices=trainer["devices"],
        num_nodes=own.machines,
        strategy=data_parallel.launched() if own.world > 1 else "auto",
        precision=trainer["precision"],
        deterministic=trainer["deterministic"],
        use_distributed_sampler=False,  # the stream splits itself among the processes
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
