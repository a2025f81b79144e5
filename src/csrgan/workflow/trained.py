"""The system of a command: a trained one, or one that is not trained, which may ask a trained one; and how a training begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, open_dict

from csrgan.api.loading import placed, trained
from csrgan.config.build import build, checked_settings
from csrgan.errors import UserError, require
from csrgan.training.evaluated import Evaluated, as_module
from csrgan.training.system import System

# What a system is described by and its restoring network is not.
TAUGHT_BY = {
    "losses",
    "degradation",
    "rule",
    "optimizer",
    "generator_optimizer",
    "discriminator_optimizer",
    "discriminator",
    "oracle",
}


def begin(system: System, path: str) -> None:
    """Give a system the restoring network of a checkpoint; what opposes it and all optimisers begin anew. `system.recipe` is what
    it was made from. Raises UserError where the networks differ, with the settings that make them differ."""
    other, recipe = trained(path, "cpu", "init_from")
    if system.init_from(other):
        return
    differing = list(_differences(system.recipe["system"], recipe["system"], "system"))
    raise UserError(f"init_from={path} holds another network than this run's: {'; '.join(differing[:4]) or 'it has other layers'}.")


def _differences(here: Any, there: Any, place: str) -> Iterator[str]:
    """What two descriptions of a network have that is not the same; what it is taught by is left out."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in [*here, *(there.keys() - here.keys())]:
            if key not in TAUGHT_BY:
                yield from _differences(here.get(key), there.get(key), f"{place}.{key}")
    elif here != there:
        mine, theirs = (value.get("_target_") if isinstance(value, dict) else value for value in (here, there))
        yield f"{place} is {theirs} there and {mine} here"


def chosen(config: DictConfig, checkpoint: str | None) -> tuple[Evaluated, dict[str, Any]]:
    """The system of a command that takes `system`, `checkpoint` or both, and the command's settings; where no degradation is
    chosen, it becomes the checkpoint's.

    Raises UserError where neither is given, or what an untrained system needs is missing.
    """
    require(
        checkpoint is not None or bool(config.get("system")),
        "checkpoint is needed: give it as checkpoint=VALUE; a system that needs no training, such as wiener, does without.",
    )
    learned, recipe = trained(checkpoint, config.device) if checkpoint is not None else (None, None)
    if not config.get("degradation"):
        if not recipe:
            raise UserError("degradation is needed where there is no checkpoint: choose one, as in degradation=readme.")
        with open_dict(config):
            config.degradation = recipe["degradation"]
    settings = checked_settings(config)
    if not settings.get("system"):
        assert learned
        return learned, settings
    system = as_module(build(settings["system"], "system"))
    trained_one = f"system={type(system).__name__.lower()} is trained: name its run as checkpoint=RUN, without system."
    require(not isinstance(system, System), trained_one)
    system.restorer.parameter_source = learned.restorer if learned else None
    return placed(system, config.device), settings
