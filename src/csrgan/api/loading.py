"""Rebuild a trained system from its checkpoint alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

import torch

from csrgan.api import teaching
from csrgan.calibration import Calibration
from csrgan.config.described import build_described, check_described
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import UserError, require
from csrgan.restorers.ood import OODTest
from csrgan.runs import checkpoint
from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System
from csrgan.tree import Settings

Kind = TypeVar("Kind", bound=Evaluated)


def trained(path: str, device: str, key: str = "checkpoint") -> tuple[System, Settings]:
    """Return the system on `device`, ready to restore, and the configuration of its training. key: where the user named it."""
    content = checkpoint.read(path, key)
    recipe, origin = content["csrgan"]["recipe"], f"{key}={path}: recipe"
    yours = "CLASS.load_from_checkpoint(FILE, generator=...) builds it from yours"
    require(recipe != {}, f"{key}={path} does not say what its network is made of: {yours}.")
    try:
        here = teaching.without_absent(recipe, published=bool(content["csrgan"].get("published")))
        check_described(here, "degradation", Degradation, origin)
        system = build_described(here, "system", System, origin, content["state_dict"])
        _load_weights(system, content)
        system.recipe = recipe
        system.state.images_seen = natural_number(content["csrgan"]["images_seen"])
        count = len(system.restorer.prior.predicted)
        rows = _calibration(content["csrgan"].get("calibration", []), count)
        left_out = {name: _calibration(each, count) for name, each in content["csrgan"].get("loo_calibration", {}).items()}
        system.restorer.calibration = Calibration(rows, left_out)
        system.restorer.ood = OODTest.of(content["csrgan"]["ood"]) if "ood" in content["csrgan"] else None
    except (AttributeError, KeyError, RuntimeError, TypeError) as reason:
        raise UserError(f"{key}={path} does not fit the network that it describes ({type(reason).__name__}).") from reason
    return placed(system, device), recipe


def natural_number(number: object) -> int:
    """Return a count read from a file. Raises TypeError for anything else."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise TypeError
    return number


def _load_weights(system: System, content: Settings) -> None:
    """Load the weights of a checkpoint; a published one holds only those of the averaged generator."""
    if not content["csrgan"].get("published"):
        system.load_state_dict(content["state_dict"])
        return
    weights = {name.removeprefix("ema."): weight for name, weight in content["state_dict"].items()}
    for network in (system.generator, system.ema):
        network.load_state_dict(weights)


def _calibration(rows: object, parameters: int) -> list[list[float]]:
    """Return the calibration rows of a checkpoint, each of as many positive numbers. Raises TypeError for anything else."""
    if not isinstance(rows, Iterable):
        raise TypeError
    result = list(rows)
    for row in result:
        several = len(row) == len(result[0]) and len(row) > 1 and parameters and (len(row) - 1) % (2 * parameters) == 0
        if len(row) != 1 + parameters and not several:
            raise TypeError
        if not all(isinstance(number, int | float) and 0 < number < math.inf for number in row):
            raise TypeError
    return result


def placed(system: Kind, device: str) -> Kind:
    """Return the system in evaluation mode on a device. Raises UserError if torch does not find the device."""
    try:
        target = torch.device(device)
    except RuntimeError:
        raise UserError(f"device={device} is not a device that torch knows; choose cpu or cuda.") from None
    count = torch.cuda.device_count() if target.type == "cuda" else 0
    require(target.type != "cuda" or count > 0, f"device={device}: torch finds no GPU here; choose cpu.")
    require((target.index or 0) < max(count, 1), f"device={device}: torch finds {count} GPU here, numbered from 0.")
    return system.eval().to(target)
