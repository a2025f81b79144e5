"""Training steps apart from any run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lightning import Callback, LightningDataModule, Trainer

from csrgan.records import Batch
from csrgan.training.system import System

Transfer = Callable[[Any, int], Batch]


def fit(system: System, batches: Sequence[Any], *callbacks: Callback, transfer: Transfer | None = None, **settings: Any) -> None:
    """Let the system, which is changed by it, learn from these batches. transfer: makes them what a system takes, on the device;
    None: they are it. settings: of Lightning's Trainer."""
    where: dict[str, Any] = {"accelerator": "cpu", "devices": 1, **settings}
    trainer = Trainer(
        **where,
        max_epochs=1,
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    trainer.fit(system, _These(batches, transfer))


class _These(LightningDataModule):
    """Batches that are there already."""

    def __init__(self, batches: Sequence[Any], transfer: Transfer | None) -> None:
        super().__init__()
        self.batches, self.transfer = batches, transfer

    def train_dataloader(self) -> list[int]:
        return list(range(len(self.batches)))

    def transfer_batch_to_device(self, batch: int, device: Any, dataloader_idx: int) -> Any:
        found = self.batches[batch]
        return found.to(device) if self.transfer else found

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        return self.transfer(batch, dataloader_idx) if self.transfer else batch  # type: ignore[no-any-return]
