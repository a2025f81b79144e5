"""A trained system, rebuilt from its checkpoint alone."""

from __future__ import annotations

from typing import Any

import torch

from csrgan.config.build import build
from csrgan.fault import Fault
from csrgan.systems import checkpoint
from csrgan.systems.base import System


def trained(path: str, device: str) -> tuple[System, dict[str, Any]]:
    """The system on `device`, ready to restore, and the configuration it was trained with."""
    held = checkpoint.read(path)
    recipe = held["csrgan"]["recipe"]
    try:
        system: System = build(recipe["system"])
        system.load_state_dict(held["state_dict"])
        system.recipe = recipe
        system.images_seen = held["csrgan"]["images_seen"]
    except (KeyError, RuntimeError) as reason:
        raise Fault(f"checkpoint={path} does not fit the network that it describes ({type(reason).__name__}).") from reason
    if device != "cpu" and not torch.cuda.is_available():
        raise Fault(f"device={device}: there is no GPU that torch can use here; choose cpu.")
    return system.eval().to(device), recipe
