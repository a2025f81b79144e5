"""Where a training stands, and what the updaters of its networks share."""

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

    clip: greatest gradient norm; None: no clipping. accumulate: batches a step.
    schedule: from images seen to a factor on the learning rates. ema: decay of the running average of weights.
    gradient_stats_every: batches between two comparisons of the terms' gradients; 0: none.
    """

    clip: Positive | None = 1.0
    accumulate: Count = 1
    schedule: Callable[[int], float] = partial(constant, total=0, warmup=800)
    ema: Annotated[float, "[0,1)"] = 0.99
    gradient_stats_every: CountOr0 = 0


@dataclass
class TrainingState:
    """rule: how weights are updated. images_seen, batches_seen: so far. lr_scale: a factor on all learning rates.

    skip_nonfinite: whether a batch with a value that is not finite is left out, and not an error; then `nonfinite` says why
    nothing was learned from the last batch.
    on_update: sees the name of a network, its loss terms and their inputs before each update.
    """

    rule: UpdateRule
    images_seen: int = 0
    batches_seen: int = 0
    lr_scale: float = 1.0
    skip_nonfinite: bool = False
    nonfinite: NonFinite | None = None
    on_update: Callable[[str, dict[str, Tensor], LossInputs], None] = lambda *_: None

    _recorded: dict[str, Tensor] = field(default_factory=dict, init=False)
    _pictures: dict[str, Tensor] | None = field(default=None, init=False)  # whose signs nobody has asked for

    @property
    def recorded(self) -> dict[str, Tensor]:
        """Values of the last step, by name, for loggers. Its signs are read when somebody asks, which is not after each step."""
        if self._pictures is not None:
            self._recorded |= signs(self._pictures)
            self._pictures = None
        return self._recorded

    @recorded.setter
    def recorded(self, values: dict[str, Tensor]) -> None:
        self._recorded, self._pictures = values, None

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Keep values of this training step for whoever logs them."""
        self._recorded |= {name: value.detach() for name, value in values.items()}

    def show(self, inputs: LossInputs) -> None:
        """Keep S and H, where they are among the inputs of an update, for whoever asks for their signs."""
        tensors = {name: value.detach() for name, value in inputs.computed() if isinstance(value, Tensor)}
        if "restored" in tensors and "sharp" in tensors:
            self._pictures = tensors

    @property
    def compares_gradients(self) -> bool:
        """Whether this training step is one in which the gradients of the terms are compared."""
        every = self.rule.gradient_stats_every
        return every > 0 and (self.batches_seen + 1) % every == 0

    @property
    def steps(self) -> bool:
        """Whether this batch is the last of those whose gradients make a step."""
        return (self.batches_seen + 1) % self.rule.accumulate == 0
