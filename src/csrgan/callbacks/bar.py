"""The bar of a training or an evaluation, with a line of its own for each step that takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from csrgan.data.progress import INTERVAL, Advance, Yielding, time_left


class Bar:
    """Shows what is under way: lines with bars on a terminal, elsewhere a plain sentence every INTERVAL seconds.

    progress: Rich's; the fields of its tasks are `count`, how far each is, and `parts`, which may say more.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}"),
            time_left(),
            Yielding("{task.fields[parts]}"),
            console=console,
            disable=not console.is_terminal,
        )

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        """Yield a function to call with how many of `total` are done. The time left takes all as long as those done so far."""
        with self._shown():
            task = self.progress.add_task(name, total=total, count=f"0 of {total}", parts="")
            began = printed = time.monotonic()

            def advance(done: int) -> None:
                nonlocal printed
                now = time.monotonic()
                self.progress.update(task, completed=done, count=f"{done} of {total}")
                if not self.console.is_terminal and now - printed >= INTERVAL and done:
                    printed, left = now, (now - began) / done * (total - done)
                    self.print(f"{name} {done} of {total}, {left:.0f} s left")

            try:
                yield advance
            finally:
                self.progress.remove_task(task)

    def print(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Show the bar for this step alone, unless a training shows it."""
        if self.progress.live.is_started:
            yield
            return
        self.progress.live.transient = True
        self.progress.start()
        try:
            yield
        finally:
            self.progress.stop()
            self.progress.live.transient = False


class Scoring(Callback):
    """Show how far an evaluation is."""

    def __init__(self, bar: Bar) -> None:
        self.bar, self._step = bar, ExitStack()

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._advance = self._step.enter_context(self.bar.step("scoring", int(sum(trainer.num_val_batches))))

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._advance(batch_idx + 1)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._step.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._step.close()
