"""Watch for failures of GAN training. Each condition has a name, a limit and an action."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

import torch
from lightning import Callback, LightningModule, Trainer
from rich.console import Console

from csrgan.callbacks.watched import as_system
from csrgan.config import settings
from csrgan.degradation.parameters import Parameters
from csrgan.errors import RunStopped, UserError
from csrgan.files import relative
from csrgan.records import Batch
from csrgan.run_folder import REPLAY
from csrgan.training import collectives
from csrgan.training.replay import keep
from csrgan.training.system import System
from csrgan.tree import Settings

ACTIONS = ("log", "pause", "reduce_lr", "stop")


@dataclass
class Condition:
    """A condition that holds while the mean over the window is past `limit`.

    action: `log`; `pause`: the discriminator learns nothing while it holds; `reduce_lr`: all learning rates are halved when it
    begins; `stop`: the run ends, with the checkpoints from before.
    """

    limit: float
    action: str
    values: deque[float] = field(default_factory=deque, init=False)
    holds: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UserError.unknown("health: action", self.action, ACTIONS)


Reading = Callable[[Mapping[str, float]], "float | None"]

# Per condition: how to read it from the recorded values of a batch, whether it holds above its limit, and its sentence.
READINGS: dict[str, tuple[Reading, bool, str]] = {
    "saturation": (
        lambda values: values["D(real)"] - values["D(fake)"] if "D(real)" in values else None,
        True,
        "the discriminator always tells S from H and teaches little: D(real) - D(fake) is {:.3g}",
    ),
    "collapse": (
        lambda values: values.get("signs/diversity"),
        False,
        "S hardly varies from picture to picture: its spread is {:.3g} of H's",
    ),
    "drift": (lambda values: values.get("signs/drift"), True, "the mean colour of S differs from H's by {:.3g} of full scale"),
    "explosion": (lambda values: values.get("explosion"), True, "the gradient norm is {:.3g} times its median"),
}


NAMED = 2  # samples that a sentence names


class Health(Callback):
    """Check every `every`-th batch; a condition is judged by its mean over the last `window` checks.

    saturation, collapse, drift, explosion: conditions; None: not watched. patience: number of batches with a non-finite value
    that are skipped, reported and saved for csrgan replay; one more ends the run. folder: the run folder.
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
        self.conditions = {name: Condition(**node) for name, node in conditions.items() if node}
        for name, condition in self.conditions.items():
            condition.values = deque(maxlen=1 if name == "explosion" else window)  # already relative to a median over the window
        self.norms: deque[float] = deque(maxlen=window)
        self.left_out = 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        as_system(pl_module).state.skip_nonfinite = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int
    ) -> None:
        system = as_system(pl_module)
        if system.state.nonfinite:
            self._skip(system, batch)
        elif system.state.batches_seen % self.every == 0:
            self._check(trainer, system)

    def _skip(self, system: System, batch: Batch) -> None:
        """Report and save a batch from which nothing was learned."""
        reason, number = system.state.nonfinite, system.state.batches_seen
        assert reason
        batch = _whole(batch)
        first = system.images_seen - len(batch.names)  # sample number of the batch's first picture
        file = self.folder / REPLAY / f"batch_{number:06d}.pt"
        if collectives.rank() == 0:
            keep(file, system, batch)
        samples = [f"sample {first + index} ({batch.names[index]})" for index in reason.samples]
        others = f" and {len(samples) - NAMED} more" if len(samples) > NAMED else ""
        source = (", ".join(samples[:NAMED]) or "no single sample") + others
        sentence = (
            f"batch {number}: {' and '.join(reason.terms)} of the {reason.network} is not finite, from"
            f" {source}; no weight was changed. csrgan replay file={relative(file)} shows where."
        )
        self.left_out += 1
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)
        if self.left_out > self.patience:
            shows = f"csrgan replay file={relative(file)} shows where the last one was not"
            raise RunStopped(f"{self.left_out} batches were not finite, more than health.patience={self.patience}: {shows}.", 1)

    def _check(self, trainer: Trainer, system: System) -> None:
        values = {name: float(value) for name, value in system.state.recorded.items() if name.startswith(("D(", "signs/"))}
        norm = max((float(value) for name, value in system.state.recorded.items() if name.endswith("/gradient_norm")), default=0.0)
        if len(self.norms) == self.window and median(self.norms):
            values["explosion"] = norm / median(self.norms)
        self.norms.append(norm)
        for name, condition in self.conditions.items():
            value = READINGS[name][0](values)
            if value is not None:
                condition.values.append(value)
                self._judge(trainer, system, name, condition)

    def _judge(self, trainer: Trainer, system: System, name: str, condition: Condition) -> None:
        _, above, sentence = READINGS[name]
        mean = fmean(condition.values)
        past_limit = mean > condition.limit if above else mean < condition.limit
        holds = past_limit and len(condition.values) == condition.values.maxlen
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
        effects = {"log": "", "pause": "; the discriminator is paused", "reduce_lr": "; the learning rates are halved", "stop": ""}
        message = f"{name}: {sentence} (health.{name}.limit={condition.limit:g}){effects[condition.action]}"
        self.console.print(f"{system.images_seen} images: {message}", highlight=False, markup=False, soft_wrap=True)
        if condition.action == "reduce_lr":
            system.state.lr_scale /= 2
        if condition.action == "stop":
            raise RunStopped(f"stopped by health.{name}.action=stop: {message}. The checkpoints are from before.", 1)

    def state_dict(self) -> dict[str, object]:
        conditions = {
            name: {"values": list(condition.values), "holds": condition.holds} for name, condition in self.conditions.items()
        }
        return {"conditions": conditions, "norms": list(self.norms), "left_out": self.left_out}

    def load_state_dict(self, state_dict: Settings) -> None:
        self.norms.extend(state_dict["norms"])
        self.left_out = state_dict["left_out"]
        for name, saved in state_dict["conditions"].items():
            if name in self.conditions:
                self.conditions[name].values.extend(saved["values"])
                self.conditions[name].holds = saved["holds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pause the discriminator again where a condition paused it before the stop."""
        updaters = as_system(pl_module).updaters
        for condition in self.conditions.values():
            if condition.holds and condition.action == "pause" and "discriminator" in updaters:
                updaters["discriminator"].frozen = True


def _whole(batch: Batch) -> Batch:
    """Return the batch of all processes; with one process, the batch itself."""
    if collectives.processes() == 1:
        return batch
    parts = collectives.gathered(batch.to("cpu"))
    sharp, low = (torch.cat(pictures) for pictures in zip(*((part.sharp, part.low) for part in parts), strict=True))
    theta = Parameters.concatenate([part.parameters for part in parts])
    return Batch(sharp, low, theta, tuple(name for part in parts for name in part.names), batch.spec)
