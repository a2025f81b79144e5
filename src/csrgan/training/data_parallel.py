"""Training in several processes, each with its share of every batch: Lightning's DDP without its wrapper around the module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed, nn

from csrgan.errors import RunStopped
from csrgan.ranks import LOST, of_slurm
from csrgan.training import collectives

PATIENCE = timedelta(hours=4)  # for a process that prepares data or evaluates large pictures while others wait


class DataParallelStrategy(DDPStrategy):
    """Starts, connects and places the processes as DDP does, and leaves the module alone.

    DDP's wrapper averages gradients where autograd fills them. It does not see `manual_backward(inputs=...)`, with which each
    network here gets its own gradient only. So `NetworkUpdater` averages them where it writes the update.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"timeout": PATIENCE, **settings})

    def configure_ddp(self) -> None:
        """Give all processes the same weights, without a wrapper."""
        assert isinstance(self.model, nn.Module)
        collectives.spread(self.model)

    def barrier(self, name: str | None = None, *args: object, **settings: object) -> None:
        """Wait for all processes, but not after a checkpoint: the first process alone writes it."""
        if name != "Trainer.save_checkpoint":
            super().barrier(name)


def launched() -> DataParallelStrategy:
    """Return the strategy of processes that csrgan, torchrun or Slurm has started, see `csrgan.ranks`."""
    os.environ.update(of_slurm(os.environ))
    return DataParallelStrategy(cluster_environment=TorchElasticEnvironment())


@contextmanager
def lost_processes(hint: str) -> Iterator[None]:
    """Raise RunStopped for errors of the connection: another process has ended. hint: how to continue."""
    try:
        yield
    except RuntimeError as reason:
        if not (isinstance(reason, distributed.DistError) or "gloo" in str(reason)):
            raise
        raise RunStopped(f"another process of this training has ended. {hint}", LOST) from reason
