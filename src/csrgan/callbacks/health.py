"""Watches for what ends GAN trainings. Each condition has a name, a threshold, and something that is done about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console

from csrgan.callbacks.watched import watched
from csrgan.config import settings
from csrgan.errors import RunStopped, UserError
from csrgan.records import Batch
from csrgan.run_folder import REPLAY
from csrgan.training.replay import keep
from csrgan.training.system import System

ACTIONS = ("log", "pause", "reduce_lr", "stop")


@dataclass
class Condition:
    """Holds while the mean over the window is past the threshold.

    limit: the threshold. action: `log`; `pause`, the discriminator learns nothing while it holds; `reduce_lr`, all learning rates
    are halved when it begins; `stop`, the run ends, and its checkpoints are of before.
    """

    limit: float
    action: str
    values: deque[float] = field(default_factory=deque, init=False)
    holds: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UserError.unknown("health: action", self.action, ACTIONS)


Reading = Callable[[Mapping[str, float]], "float | None"]

# How each condition reads what a system records of a batch, whether it is above or below its limit, and its sentence.
READINGS: dict[str, tuple[Reading, bool, str]] = {
    "saturation": (
        lambda seen: seen["D(real)"] - seen["D(fake)"] if "D(real)" in seen else None,
        True,
        "the discriminator tells S from H without fail, and teaches little: D(real) - D(fake) is {:.3g}",
    ),
    "collapse": (
        lambda seen: seen.get("signs/diversity"),
        False,
        "S hardly differs from picture to picture: its spread is {:.3g} of H's",
    ),
    "drift": (lambda seen: seen.get("signs/drift"), True, "the mean colour of S has left H's by {:.3g} of full scale"),
    "explosion": (lambda seen: seen.get("explosion"), True, "the gradient norm is {:.3g} times its median"),
}


class Health(Callback):
    """Looks at every `every`-th batch; a condition is judged by its mean over the last `window` looks.

    saturation, collapse, drift, explosion: conditions, each None where it is not watched. patience: batches with a value that is
    not finite before the run ends; each is left out, named and kept for csrgan replay. 0: the first ends it.
    folder: of the run.
    """

    def __init__(
        self,
        folder: Path,
        console: Console,
        *,
        every: int,
        window: int,
        patience: int,
        **conditions: settings.Condition | None,
    ) -> None:
        self.folder, self.console, self.every, self.window, self.patience = folder, console, every, window, patience
        self.conditions = {name: Condition(**each) for name, each in conditions.items() if each}
        for name, condition in self.conditions.items():
            condition.values = deque(maxlen=1 if name == "explosion" else window)  # its median is over the window already
        self.norms: deque[float] = deque(maxlen=window)
        self.left_out = 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        watched(pl_module).state.skip_nonfinite = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int
    ) -> None:
        system = watched(pl_module)
        if system.state.nonfinite:
            self._leave_out(system, batch)
        elif system.state.batches_seen % self.every == 0:
            self._look(trainer, system)

    def _leave_out(self, system: System, batch: Batch) -> None:
        """Name and keep a batch of which nothing was learned."""
        reason, number = system.state.nonfinite, system.state.batches_seen
        assert reason
        first = system.images_seen - len(batch.names)  # of the batch in the stream, where one process trains
        file = keep(self.folder / REPLAY / f"batch_{number:06d}.pt", system, batch)
        samples = [f"sample {first + place} ({batch.names[place]})" for place in reason.samples]
        whose = ", ".join(samples) or "no single sample"
        sentence = (
            f"batch {number}: {' and '.join(reason.terms)} of the {reason.network} is not finite, by"
            f" {whose}; no weight was touched. csrgan replay file={file} shows where."
        )
        self.left_out += 1
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)
        if self.left_out > self.patience:
            raise RunStopped(f"{self.left_out} batches were not finite, more than health.patience={self.patience}: {sentence}", 1)

    def _look(self, trainer: Trainer, system: System) -> None:
        seen = {name: float(value) for name, value in system.state.recorded.items() if name.startswith(("D(", "signs/"))}
        norm = max((float(value) for name, value in system.state.recorded.items() if name.endswith("/gradient_norm")), default=0.0)
        if len(self.norms) == self.window and median(self.norms):
            seen["explosion"] = norm / median(self.norms)
        self.norms.append(norm)
        for name, condition in self.conditions.items():
            value = READINGS[name][0](seen)
            if value is not None:
                condition.values.append(value)
                self._judge(trainer, system, name, condition)

    def _judge(self, trainer: Trainer, system: System, name: str, condition: Condition) -> None:
        _, above, sentence = READINGS[name]
        mean = fmean(condition.values)
        past = mean > condition.limit if above else mean < condition.limit
        holds = past and len(condition.values) == condition.values.maxlen
        if holds != condition.holds:
            condition.holds = holds
            self._act(system, name, condition, sentence.format(mean))
            for logger in trainer.loggers:
                logger.log_metrics({f"health/{name}": mean}, step=system.images_seen)

    def _act(self, system: System, name: str, condition: Condition, sentence: str) -> None:
        if condition.action == "pause" and "discriminator" in system.updaters:
            system.updaters["discriminator"].frozen = condition.holds
        if not condition.holds:
            self.console.print(f"{system.images_seen} images: {name} is over", highlight=False, markup=False, soft_wrap=True)
            return
        done = {"log": "", "pause": "; the discriminator rests", "reduce_lr": "; the learning rates are halved", "stop": ""}
        told = f"{name}: {sentence} (health.{name}.limit={condition.limit:g}){done[condition.action]}"
        self.console.print(f"{system.images_seen} images: {told}", highlight=False, markup=False, soft_wrap=True)
        if condition.action == "reduce_lr":
            system.state.lr_scale /= 2
        if condition.action == "stop":
            raise RunStopped(f"stopped by health.{name}.action=stop: {told}. Its checkpoints are of before.", 1)

    def state_dict(self) -> dict[str, object]:
        conditions = {name: {"values": list(each.values), "holds": each.holds} for name, each in self.conditions.items()}
        return {"conditions": conditions, "norms": list(self.norms), "left_out": self.left_out}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.norms.extend(state_dict["norms"])
        self.left_out = state_dict["left_out"]
        for name, held in state_dict["conditions"].items():
            if name in self.conditions:
                self.conditions[name].values.extend(held["values"])
                self.conditions[name].holds = held["holds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What a condition of before the stop had done is done still."""
        updaters = watched(pl_module).updaters
        for condition in self.conditions.values():
            if condition.holds and condition.action == "pause" and "discriminator" in updaters:
                updaters["discriminator"].frozen = True
