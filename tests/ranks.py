"""Systems trained by several real processes, for tests: forked from this one, connected by gloo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer

from csrgan.training.data_parallel import DataParallelStrategy


class Record(Callback):
    """Write what each process holds after the training, for `recorded`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.values = folder, []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: object) -> None:
        self.values.append(dict(pl_module.state.recorded))

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        held = {"weights": pl_module.state_dict(), "recorded": self.values, "images_seen": pl_module.images_seen}
        held["rows"] = pl_module.rows
        torch.save(held, self.folder / f"{trainer.world_size}_{trainer.global_rank}.pt")


def trained(system: Any, data: Any, processes: int, folder: Path, *callbacks: Callback, evaluate: bool = False) -> list[Any]:
    """Train the system in so many processes, and return what `Record` wrote in each."""
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    strategy = DataParallelStrategy(start_method="fork") if processes > 1 else "auto"
    trainer = Trainer(
        accelerator="cpu",
        devices=processes,
        strategy=strategy,
        use_distributed_sampler=False,
        max_epochs=1,
        limit_val_batches=1.0 if evaluate else 0,
        num_sanity_val_steps=0,
        callbacks=[*callbacks, Record(folder)],
        **quiet,
    )
    trainer.fit(system, data)
    return [torch.load(folder / f"{processes}_{rank}.pt", weights_only=False) for rank in range(processes)]


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The greatest difference of two states."""
    assert one.keys() == other.keys()
    return max(float((value.double() - other[name].double()).abs().max()) for name, value in one.items() if value.numel())


KILLED = "killed"  # a file of a run folder, as old as the signal to a process itself


class Signal(Callback):
    """Send a signal from inside a training, as SIGNAL_AT in the environment says: rank, batch, number, `own` or `parent`."""

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: object) -> None:
        rank, batch, number, whom = os.environ.get("SIGNAL_AT", "-1 0 0 own").split()
        if (trainer.global_rank, pl_module.state.batches_seen) == (int(rank), int(batch)):
            if whom == "own":
                (Path(trainer.default_root_dir) / KILLED).touch()
            os.kill(os.getppid() if whom == "parent" else os.getpid(), int(number))


def signal_words(folder: Path) -> list[str]:
    """Words that add `Signal` to a training; its yaml file is written into the folder."""
    (folder / "callbacks" / "signal").mkdir(parents=True)
    (folder / "callbacks" / "signal" / "sent.yaml").write_text("_target_: ranks.Signal\n", encoding="utf-8")
    return [f"--config-dir={folder}", "+callbacks/signal=sent"]


ALLOWED = {"CSRGAN_ALLOW": "ranks", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
