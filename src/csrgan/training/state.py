"""The state of a training, and the update rule that all of its networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from csrgan.arguments import Recorded
from csrgan.losses.objective import LossInputs
from csrgan.ranges import Count, CountOr0, Positive
from csrgan.training.gan_diagnostics import signs
from csrgan.training.nonfinite import NonFinite
from csrgan.training.schedule import constant

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
ADAM = partial(Adam, lr=1e-3, betas=(0.9, 0.99))


@dataclass(frozen=True)
class UpdateRule(Recorded):
    """How weights are updated, the same for every network.

    clip: greatest gradient norm; None: no clipping. accumulate: batches per optimizer step.
    schedule: from images seen to a factor on the learning rates. ema: decay of the running average of weights.
    gradient_stats_every: batches between two comparisons of the terms' gradients, of which a shorter training has one, in its last
    batch; 0: never.
    """

    clip: Positive | None = 1.0
    accumulate: Count = 1
    schedule: Callable[[int], float] = partial(constant, total=0, warmup=800)
    ema: Annotated[float, "[0,1)"] = 0.99
    gradient_stats_every: CountOr0 = 0


@dataclass
class TrainingState:
    """rule: how weights are updated. images_seen, batches_seen: so far. lr_scale: factor on all learning rates.

    last_batch: whether the training ends with this batch. sample: whether the batches are a few that examine or measure a training.
    skip_nonfinite: whether a batch with a value that is not finite is skipped; otherwise it is an error.
    nonfinite: why the last batch was skipped; None: it was not.
    on_update: called before each update with the name of the network, its loss terms and their inputs.
    """

    rule: UpdateRule
    images_seen: int = 0
    batches_seen: int = 0
    lr_scale: float = 1.0
    last_batch: bool = False
    sample: bool = False
    skip_nonfinite: bool = False
    nonfinite: NonFinite | None = None
    on_update: Callable[[str, dict[str, Tensor], LossInputs], None] = lambda *_: None

    _recorded: dict[str, Tensor] = field(default_factory=dict, init=False)
    _pictures: dict[str, Tensor] | None = field(default=None, init=False)  # whose signs are not computed yet

    @property
    def recorded(self) -> dict[str, Tensor]:
        """Values of the last step, by name, for loggers. Its signs are computed on demand, not after each step."""
        if self._pictures is not None:
            self._recorded |= signs(self._pictures)
            self._pictures = None
        return self._recorded

    @recorded.setter
    def recorded(self, values: dict[str, Tensor]) -> None:
        self._recorded, self._pictures = values, None

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Keep values of this training step for loggers."""
        self._recorded |= {name: value.detach() for name, value in values.items()}

    def show(self, inputs: LossInputs) -> None:
        """Keep S and H, where they are among the inputs of an update, to compute their signs on demand."""
        named = ((name, value) for name, value in inputs.computed() if name in ("restored", "sharp"))
        pictures = {name: value.detach() for name, value in named if isinstance(value, Tensor)}
        if len(pictures) == 2:
            self._pictures = pictures

    @property
    def compares_gradients(self) -> bool:
        """Whether the gradients of the terms are compared in this training step."""
        every, number = self.rule.gradient_stats_every, self.batches_seen + 1
        return every > 0 and (number % every == 0 or (self.last_batch and not self.sample and number < every))

    @property
    def steps(self) -> bool:
        """Whether an optimizer step follows this batch, the last of `accumulate`."""
        return (self.batches_seen + 1) % self.rule.accumulate == 0
