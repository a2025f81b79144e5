"""A trained system, rebuilt from its checkpoint alone; or one that is not trained, which may ask a trained one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from omegaconf import DictConfig, open_dict

from csrgan.config.build import build, plain
from csrgan.config.described import build_described, examine_described
from csrgan.degradation.augmentation import Degradation
from csrgan.fault import Fault, check
from csrgan.systems import checkpoint
from csrgan.systems.base import System

# What a system is described by and its restoring network is not.
TAUGHT_BY = {
    "losses",
    "degradation",
    "rule",
    "optimizer",
    "generator_optimizer",
    "discriminator_optimizer",
    "discriminator",
    "told",
}


def trained(path: str, device: str, key: str = "checkpoint") -> tuple[System, dict[str, Any]]:
    """The system on `device`, ready to restore, and the configuration it was trained with. key: where the user named it."""
    held = checkpoint.read(path, key)
    recipe, origin = held["csrgan"]["recipe"], f"{key}={path}: recipe"
    try:
        examine_described(recipe, "degradation", Degradation, origin)
        system = build_described(recipe, "system", System, origin, held["state_dict"])
        _load(system, held)
        system.recipe = recipe
        system.images_seen = whole(held["csrgan"]["images_seen"])
        numbers = 1 + len(system.prior.predicted)
        system.calibration = _calibration(held["csrgan"].get("calibration", []), numbers)
        left_out = held["csrgan"].get("left_out", {})
        system.left_out = {name: _calibration(rows, numbers) for name, rows in left_out.items()}
    except (AttributeError, KeyError, RuntimeError, TypeError) as reason:
        raise Fault(f"{key}={path} does not fit the network that it describes ({type(reason).__name__}).") from reason
    return _placed(system, device), recipe


def whole(number: Any) -> int:
    """A count in a file. Raises TypeError for anything else."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise TypeError
    return number


def _load(system: System, held: dict[str, Any]) -> None:
    """The weights of a checkpoint; where it is published, only those of the network that is evaluated."""
    if not held["csrgan"].get("published"):
        system.load_state_dict(held["state_dict"])
        return
    weights = {name.removeprefix("average."): weight for name, weight in held["state_dict"].items()}
    for network in (system.generator, system.average):
        network.load_state_dict(weights)


def _calibration(rows: Any, numbers: int) -> list[list[float]]:
    """What a checkpoint holds of it: rows of so many positive numbers. Raises TypeError for anything else."""
    for row in rows:
        if len(row) != numbers or not all(isinstance(number, int | float) and 0 < number < math.inf for number in row):
            raise TypeError
    return list(rows)


def begin(system: System, path: str) -> None:
    """Give a system the restoring network of a checkpoint; what opposes it and all optimisers begin anew. `system.recipe` is what
    it was made from. Raises Fault where the networks differ, with the settings that make them differ."""
    other, recipe = trained(path, "cpu", "begin_from")
    if system.begin_from(other):
        return
    differing = list(_differences(system.recipe["system"], recipe["system"], "system"))
    raise Fault(f"begin_from={path} holds another network than this run's: {'; '.join(differing[:4]) or 'it has other layers'}.")


def _differences(here: Any, there: Any, place: str) -> Iterator[str]:
    """What two descriptions of a network have that is not the same; what it is taught by is left out."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in [*here, *(there.keys() - here.keys())]:
            if key not in TAUGHT_BY:
                yield from _differences(here.get(key), there.get(key), f"{place}.{key}")
    elif here != there:
        mine, theirs = (value.get("_target_") if isinstance(value, dict) else value for value in (here, there))
        yield f"{place} is {theirs} there and {mine} here"


def _placed(system: System, device: str) -> System:
    check(device == "cpu" or torch.cuda.is_available(), f"device={device}: there is no GPU that torch can use here; choose cpu.")
    return system.eval().to(device)


def chosen(config: DictConfig, checkpoint: str | None) -> tuple[System, dict[str, Any]]:
    """The system of a command that takes `system`, `checkpoint` or both, and the command's settings; where no degradation is
    chosen, it becomes the checkpoint's.

    Raises Fault where neither is given, or what an untrained system needs is missing.
    """
    check(
        checkpoint is not None or bool(config.get("system")),
        "checkpoint is needed: give it as checkpoint=VALUE; a system that needs no training, such as wiener, does without.",
    )
    learned, recipe = trained(checkpoint, config.device) if checkpoint is not None else (None, None)
    if not config.get("degradation"):
        if not recipe:
            raise Fault("degradation is needed where there is no checkpoint: choose one, as in degradation=readme.")
        with open_dict(config):
            config.degradation = recipe["degradation"]
    settings = plain(config)
    if not settings.get("system"):
        assert learned
        return learned, settings
    system: System = build(settings["system"], "system")
    check(system.untrained, f"system={type(system).__name__.lower()} is trained: name its run as checkpoint=RUN, without system.")
    system.helper = learned
    return _placed(system, config.device), settings
