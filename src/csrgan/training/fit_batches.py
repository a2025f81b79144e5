"""Training steps on given batches, outside any run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning import Callback, LightningDataModule, Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment

from csrgan.data.crops import CropBatch
from csrgan.records import Batch
from csrgan.training.signals import PlainSignals, ctrl_c_passed_on
from csrgan.training.system import System
from csrgan.tree import Settings

Transfer = Callable[[CropBatch, int], Batch]  # on the device; the number is that of the dataloader


def fit(
    system: System, batches: Sequence[Batch | CropBatch], *callbacks: Callback, transfer: Transfer | None = None, **settings: Any
) -> None:
    """Train the system, in place, on these batches.

    transfer: degrades crops on the device; None where all batches are degraded already. settings: of Lightning's Trainer.
    """
    device: Settings = {"accelerator": "cpu", "devices": 1, **settings}
    trainer = Trainer(
        **device,
        max_epochs=1,
        callbacks=[PlainSignals(), *callbacks],
        plugins=[LightningEnvironment()],  # whatever the environment says: this process trains alone
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    system.state.sample = True
    with ctrl_c_passed_on():
        trainer.fit(system, _GivenBatches(batches, transfer))
    system.state.sample = False


class _GivenBatches(LightningDataModule):
    """Batches in memory; the dataloader gives their indices."""

    def __init__(self, batches: Sequence[Batch | CropBatch], transfer: Transfer | None) -> None:
        super().__init__()
        self.batches, self.transfer = batches, transfer

    def train_dataloader(self) -> list[int]:
        return list(range(len(self.batches)))

    def transfer_batch_to_device(self, batch: int, device: torch.device, dataloader_idx: int) -> Batch | CropBatch:
        return self.batches[batch].to(device)

    def on_after_batch_transfer(self, batch: Batch | CropBatch, dataloader_idx: int) -> Batch:
        if isinstance(batch, Batch):
            return batch
        assert self.transfer is not None
        return self.transfer(batch, dataloader_idx)
