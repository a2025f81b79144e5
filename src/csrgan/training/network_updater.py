"""The update of one network: backward, clip, step, schedule, log; written once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isfinite
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from csrgan.errors import UserError
from csrgan.losses.objective import LossInputs, Objective
from csrgan.training import gradient_stats
from csrgan.training.nonfinite import NonFinite, culprits
from csrgan.training.state import MakeOptimizer, TrainingState


class NetworkUpdater:
    """Updates `network` by its objective, and touches no other weight.

    module: through which Lightning runs the backward pass. index: position of the network's optimizer among the module's.
    shared: the weights at which the gradients of the terms are compared now and then; none: nothing is compared.
    reached: for each term that was used, the ids of the weights that it is a function of.
    """

    def __init__(
        self,
        module: LightningModule,
        state: TrainingState,
        name: str,
        network: nn.Module,
        objective: Objective,
        make_optimizer: MakeOptimizer,
        index: int,
        shared: Sequence[nn.Parameter] = (),
    ) -> None:
        self.module, self.state, self.name, self.network, self.objective = module, state, name, network, objective
        self.make_optimizer, self.index, self.shared = make_optimizer, index, shared
        self.reached: dict[str, set[int]] = {}
        self.frozen = False
        self._settings: list[dict[str, Any]] = []

    @property
    def active(self) -> bool:
        """Whether any of its terms has started yet."""
        return any(term.share(self.state.images_seen) for term in self.objective.terms.values())

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """All of its network's; kept, for to find them walks through all of its layers."""
        return list(self.network.parameters())

    @property
    def weights(self) -> list[nn.Parameter]:
        """Those that it updates."""
        return [weight for weight in self.parameters if weight.requires_grad]

    def update(self, **inputs: Any) -> None:
        """One update from these inputs of its losses: tensors, or functions that make them when a term first asks.

        No-op while frozen or before any loss starts. Raises NonFinite, with the weights as they were, where the loss or its
        gradient is not finite.
        """
        if self.frozen or not self.active:
            return
        state, weights = self.state, self.weights
        shown = LossInputs(**inputs)
        parts = self.objective(shown, state.images_seen)
        state.on_update(self.name, parts, shown)
        self._examine({name: value for name, value in parts.items() if name not in self.reached}, weights)
        if self.shared and state.compares_gradients:
            state.record(gradient_stats.compare(parts, self.shared))
        loss = torch.stack(list(parts.values())).sum()
        if not isfinite(loss.item()):
            raise self._not_finite([name for name, value in parts.items() if not torch.isfinite(value)], shown)
        # With `inputs`, autograd neither computes nor adds up a gradient of another network's weights.
        self.module.manual_backward(loss / state.rule.accumulate, inputs=weights)
        state.record({f"{self.name}/{part}": value for part, value in parts.items()} | {f"{self.name}/loss": loss})
        norm = nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        state.record({f"{self.name}/gradient_norm": norm})
        state.show(shown)
        if not isfinite(norm.item()):
            self.network.zero_grad()
            raise self._not_finite(["gradient"], shown)
        if state.steps:
            self._step(weights, norm)

    def _step(self, weights: list[nn.Parameter], norm: Tensor) -> None:
        state, optimizers = self.state, self.module.optimizers()
        optimizer = optimizers[self.index] if isinstance(optimizers, list) else optimizers
        if state.rule.clip is not None:
            nn.utils.clip_grads_with_norm_(weights, state.rule.clip, norm)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * state.rule.schedule(state.images_seen) * state.lr_scale
            state.record({f"lr/{self.name}": torch.tensor(group["lr"], dtype=torch.float64)})
        optimizer.step()
        optimizer.zero_grad()

    def optimizer(self) -> Optimizer:
        """A new optimizer of the network; schedules begin at its own learning rate."""
        made = self.make_optimizer(self.network.parameters())
        for group in made.param_groups:
            group["initial_lr"] = group["lr"]
        # The rate itself follows from the schedule at each step.
        self._settings = [
            {name: value for name, value in group.items() if name not in ("params", "lr")} for group in made.param_groups
        ]
        return made

    def reset_settings(self, optimizer: Optimizer) -> None:
        """Give an optimizer that was loaded today's settings, and not those in its checkpoint."""
        for group, settings in zip(optimizer.param_groups, self._settings, strict=True):
            group.update(settings)

    def _not_finite(self, terms: list[str], shown: LossInputs) -> NonFinite:
        return NonFinite(self.name, terms, culprits(self.objective.terms, shown))

    def _examine(self, parts: dict[str, Tensor], weights: list[nn.Parameter]) -> None:
        """When a term is first used, it must be finite and reach the weights that it is meant to move."""
        for name, value in parts.items():
            if not torch.isfinite(value) and not self.state.batches_seen:  # later, a batch may be to blame
                raise UserError(f"loss.{name} is {value.item()} when it is first used.")
            gradients = value.requires_grad and torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
            if not gradients or not any(gradient is not None and gradient.any() for gradient in gradients):
                raise UserError(
                    f"loss.{name} has no gradient at the {self.name}'s weights; set it to none, or give it a network to move."
                )
            # Not where it is other than 0: behind a layer that begins with zeros it is 0 until that has moved.
            self.reached[name] = {id(weight) for weight, one in zip(weights, gradients, strict=True) if one is not None}
