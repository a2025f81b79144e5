"""Systems as a configuration makes them, and after a short training, for tests."""

from __future__ import annotations

from typing import Any

import torch
from composed import composed
from lightning import Callback, Trainer, seed_everything
from torch import Tensor, nn

from csrgan.config.build import build

QUICK = ("trainer=smoke", "size=small", "data.crop=32", "data.batch_size=2", "trainer.images=8", "optimizer.schedule.warmup=0")
SMALL = {"csrgan": ("generator.width=8", "generator.levels=2", "discriminator.width=4")}


def made(name: str, *words: str) -> tuple[Any, Any]:
    seed_everything(0, verbose=False)
    settings = composed(f"system={name}", *QUICK, *SMALL.get(name, ()), *words)
    system, data = build(settings["system"]), build(settings["data"])
    system.recipe = settings
    return system, data


def fitted(name: str, *words: str) -> Any:
    system, data = made(name, *words)
    fit(system, data)
    return system


def fit(system: Any, data: Any, *callbacks: Callback) -> None:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    short = {"max_epochs": 1, "limit_val_batches": 0, "num_sanity_val_steps": 0}
    Trainer(accelerator="cpu", callbacks=list(callbacks), **short, **quiet).fit(system, data)


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())
