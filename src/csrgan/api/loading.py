"""A trained system, rebuilt from its checkpoint alone."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch

from csrgan.calibration import Calibration
from csrgan.config.described import build_described, check_described
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import UserError, require
from csrgan.runs import checkpoint
from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System
from csrgan.tree import Settings

Kind = TypeVar("Kind", bound=Evaluated)


def trained(path: str, device: str, key: str = "checkpoint") -> tuple[System, Settings]:
    """The system on `device`, ready to restore, and the configuration it was trained with. key: where the user named it."""
    content = checkpoint.read(path, key)
    recipe, origin = content["csrgan"]["recipe"], f"{key}={path}: recipe"
    yours = "CLASS.load_from_checkpoint(FILE, generator=...) builds it from yours"
    require(recipe != {}, f"{key}={path} does not say what its network is made of: {yours}.")
    try:
        check_described(recipe, "degradation", Degradation, origin)
        system = build_described(recipe, "system", System, origin, content["state_dict"])
        _load(system, content)
        system.recipe = recipe
        system.state.images_seen = whole(content["csrgan"]["images_seen"])
        numbers = 1 + len(system.restorer.prior.predicted)
        rows = _calibration(content["csrgan"].get("calibration", []), numbers)
        left_out = {name: _calibration(each, numbers) for name, each in content["csrgan"].get("loo_calibration", {}).items()}
        system.restorer.calibration = Calibration(rows, left_out)
    except (AttributeError, KeyError, RuntimeError, TypeError) as reason:
        raise UserError(f"{key}={path} does not fit the network that it describes ({type(reason).__name__}).") from reason
    return placed(system, device), recipe


def whole(number: object) -> int:
    """A count in a file. Raises TypeError for anything else."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise TypeError
    return number


def _load(system: System, held: dict[str, Any]) -> None:
    """The weights of a checkpoint; where it is published, only those of the network that is evaluated."""
    if not held["csrgan"].get("published"):
        system.load_state_dict(held["state_dict"])
        return
    weights = {name.removeprefix("ema."): weight for name, weight in held["state_dict"].items()}
    for network in (system.generator, system.ema):
        network.load_state_dict(weights)


def _calibration(rows: Any, numbers: int) -> list[list[float]]:
    """What a checkpoint holds of it: rows of so many positive numbers. Raises TypeError for anything else."""
    for row in rows:
        if len(row) != numbers or not all(isinstance(number, int | float) and 0 < number < math.inf for number in row):
            raise TypeError
    return list(rows)


def placed(system: Kind, device: str) -> Kind:
    """The system in evaluation mode on a device. Raises UserError where torch has no GPU."""
    try:
        place = torch.device(device)
    except RuntimeError:
        raise UserError(f"device={device} is none that torch knows; choose cpu or cuda.") from None
    count = torch.cuda.device_count() if place.type == "cuda" else 0
    require(place.type != "cuda" or count > 0, f"device={device}: there is no GPU that torch can use here; choose cpu.")
    require((place.index or 0) < max(count, 1), f"device={device}: torch sees {count} GPU here, which count from 0.")
    return system.eval().to(place)
