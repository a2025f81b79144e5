"""The system of a command, trained or not, and the start of a training from another one's network."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, open_dict

from csrgan import rules
from csrgan.api.loading import placed, trained
from csrgan.arguments import description
from csrgan.config.build import build, checked_settings
from csrgan.config.combinations import brings_protocol
from csrgan.errors import UserError, raise_faults
from csrgan.runs import packaged
from csrgan.training.evaluated import Evaluated, as_module
from csrgan.training.system import System
from csrgan.tree import Settings

# Keys of a system that do not describe its restoring network.
TRAINING_KEYS = {
    "losses",
    "degradation",
    "rule",
    "optimizer",
    "generator_optimizer",
    "discriminator_optimizer",
    "discriminator",
    "oracle",
    "first_stage",
    "supervise_all",
}


def init_from(system: System, path: str) -> None:
    """Copy the restoring network of a checkpoint into a system; its discriminator and all optimisers start afresh.

    `system.recipe` is the configuration that it was built from. Raises UserError, with the settings that differ, if the networks
    do.
    """
    other, recipe = trained(path, "cpu", "init_from")
    if system.init_from(other):
        return
    differing = list(_differences(system.recipe["system"], recipe["system"], "system"))
    raise UserError(
        f"init_from={path} holds a different network from this run's: {'; '.join(differing[:4]) or 'its layers differ'}."
    )


def _differences(here: object, there: object, place: str) -> Iterator[str]:
    """Yield the settings in which two descriptions of a network differ, without those that only train it."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in [*here, *(there.keys() - here.keys())]:
            if key not in TRAINING_KEYS:
                yield from _differences(here.get(key), there.get(key), f"{place}.{key}")
    elif here != there:
        mine, theirs = (value.get("_target_") if isinstance(value, dict) else value for value in (here, there))
        yield f"{place} is {theirs} there and {mine} here"


def chosen(config: DictConfig, checkpoint: str | None) -> tuple[Evaluated, Settings]:
    """Return the system of a command that takes `system`, `checkpoint` or both, and the command's settings.

    A degradation that is not chosen becomes the checkpoint's. A command that restores takes the network that comes with csrgan if
    neither is given. Raises UserError if another command is given neither, or if an untrained system lacks what it needs.
    """
    if config.get("system") and brings_protocol({"_target_": config.system._target_}):
        return _of_others(config)
    given = checkpoint is not None, bool(config.get("system")), bool(config.get("degradation"))
    raise_faults(rules.checkpoint_or_system(*given, restores="evaluation" not in config))
    if checkpoint is None and not config.get("system"):
        checkpoint = packaged.PHOTO
    learned, recipe = trained(checkpoint, config.device) if checkpoint is not None else (None, None)
    if not config.get("degradation"):
        assert recipe
        with open_dict(config):
            config.degradation = recipe["degradation"]
    settings = checked_settings(config)
    if not settings.get("system"):
        assert learned
        if "evaluation" not in config:
            learned.restorer.require_blind()
        return learned, settings
    system = as_module(build(settings["system"], "system"))
    raise_faults(rules.untrained(type(system).__name__.lower(), isinstance(system, System)))
    system.restorer.parameter_source = learned.restorer if learned else None
    return placed(system, config.device), settings


def _of_others(config: DictConfig) -> tuple[Evaluated, Settings]:
    """Return a system that csrgan did not train, and the settings with its own degradation where none is chosen."""
    with open_dict(config):
        config.setdefault("degradation", None)
    settings = checked_settings(config)
    system = as_module(build(settings["system"], "system"))
    if not config.degradation:
        with open_dict(config):
            config.degradation = description(system.restorer.degradation)
        settings = checked_settings(config)
    return placed(system, config.device), settings
