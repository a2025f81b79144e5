"""How the networks of a system are executed: their memory layout and their compilation."""

from __future__ import annotations

import sys

import torch

from csrgan.errors import require
from csrgan.training.evaluated import Evaluated
from csrgan.tree import Settings


def configure_execution(system: Evaluated, trainer: Settings) -> None:
    """Give the networks the memory layout `trainer.channels_last` and compile them where `trainer.compile` is true, in place.

    Raises UserError for trainer.accelerator=gpu where torch finds no GPU, or fewer than trainer.devices.
    """
    available = trainer["accelerator"] != "gpu" or torch.cuda.is_available()
    require(available, "trainer.accelerator=gpu: torch finds no GPU here; choose trainer=cpu.")
    found, asked = torch.cuda.device_count(), trainer["devices"]
    enough = trainer["accelerator"] != "gpu" or found >= asked
    require(enough, f"trainer.devices={asked}: torch finds {found} GPU{'s' if found > 1 else ''} here; choose at most {found}.")
    for network in system.children():
        if trainer["channels_last"]:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if trainer["compile"]:
            # The gradients of the terms are taken from one graph, one after the other, so it must outlive each of them.
            torch._functorch.config.donated_buffer = False
            network.compile()


def end_compilation() -> None:
    """Drop what torch.compile has begun in threads and processes: Python would wait for it before it ends, for minutes."""
    compiling = sys.modules.get("torch._inductor.async_compile")
    if compiling is None:
        return
    for pool in compiling._pool_set:
        if process := getattr(pool, "process", None):
            process.kill()
    if compiling.AsyncCompile.pool.cache_info().currsize:
        compiling.AsyncCompile.pool().shutdown(wait=False, cancel_futures=True)
        compiling.AsyncCompile.pool.cache_clear()
    compiling.after_fork()
