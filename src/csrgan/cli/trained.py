"""A trained system, rebuilt from its checkpoint alone; or one that is not trained, which may ask a trained one."""

from __future__ import annotations

from typing import Any

import torch
from omegaconf import DictConfig, open_dict

from csrgan.config import targets
from csrgan.config.build import build, plain
from csrgan.fault import Fault, check
from csrgan.systems import checkpoint
from csrgan.systems.base import System


def trained(path: str, device: str) -> tuple[System, dict[str, Any]]:
    """The system on `device`, ready to restore, and the configuration it was trained with."""
    held = checkpoint.read(path)
    recipe = held["csrgan"]["recipe"]
    try:
        targets.examine({key: recipe[key] for key in ("system", "degradation")}, f"checkpoint={path}: recipe")
        system: Any = build(recipe["system"]) if isinstance(recipe["system"], dict) else None
        check(isinstance(system, System), f"checkpoint={path} describes a {type(system).__name__}, which is no system.")
        system.load_state_dict(held["state_dict"])
        system.recipe = recipe
        system.images_seen = held["csrgan"]["images_seen"]
    except (AttributeError, KeyError, RuntimeError, TypeError) as reason:
        raise Fault(f"checkpoint={path} does not fit the network that it describes ({type(reason).__name__}).") from reason
    return _placed(system, device), recipe


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
        "checkpoint is needed: give it as checkpoint=VALUE; only system=degraded, kernelgan and wiener do without.",
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
