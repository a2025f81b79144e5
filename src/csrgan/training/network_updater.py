"""The update of one network: backward, clip, step, schedule, log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isfinite

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from csrgan import rules
from csrgan.errors import UserError
from csrgan.losses.objective import LossInputs, Objective
from csrgan.training import collectives, gradient_stats
from csrgan.training.nonfinite import NonFinite, culprits, of_itself, remedy, spoiled
from csrgan.training.state import MakeOptimizer, TrainingState

UNWEIGHTED = "unweighted/"  # prefix of the recorded values of losses without their weights


class NetworkUpdater:
    """Updates `network` by its objective, and changes no other weight.

    module: runs the backward pass through Lightning. index: position of the network's optimizer among the module's.
    shared: weights at which the gradients of the terms are compared now and then; empty: never.
    reached: for each term that was used, the ids of the weights that it is a function of. frozen: whether updates are skipped.
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
        self.make_optimizer, self.index, self._shared = make_optimizer, index, shared
        self.reached: dict[str, set[int]] = {}
        self.frozen = False
        self._settings: list[dict[str, object]] = []

    @property
    def active(self) -> bool:
        """Whether any of its terms has started."""
        return any(term.share(self.state.images_seen) for term in self.objective.terms.values())

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters of the network; cached, for listing them walks through all layers."""
        return list(self.network.parameters())

    @property
    def weights(self) -> list[nn.Parameter]:
        """The parameters that are updated."""
        return [weight for weight in self.parameters if weight.requires_grad]

    def update(self, **inputs: object) -> None:
        """Update the network once. inputs: of its losses; tensors, or functions that compute one when a term first asks for it.

        No-op while frozen or before any loss starts. Raises NonFinite, with the weights unchanged, where the loss or its gradient
        is not finite.
        """
        if self.frozen or not self.active:
            return
        state, weights = self.state, self.weights
        loss_inputs = LossInputs(**inputs)
        parts = self.objective(loss_inputs, state.images_seen)
        state.on_update(self.name, parts, loss_inputs)
        self._examine({name: value for name, value in parts.items() if name not in self.reached}, weights, loss_inputs)
        if self._shared and state.compares_gradients:
            state.record(gradient_stats.compare(parts, self._shared))
        terms = torch.stack(list(parts.values()))
        values = collectives.mean(terms.detach())
        if not isfinite(values.sum().item()):
            raise self._not_finite([name for name, value in zip(parts, values, strict=True) if not value.isfinite()], loss_inputs)
        # With `inputs`, autograd neither computes nor adds up a gradient of another network's weights.
        self.module.manual_backward(terms.sum() / state.rule.accumulate, inputs=weights)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        collectives.average(gradients)
        named = {f"{self.name}/{part}": value for part, value in zip(parts, values, strict=True)}
        weights_of_terms = self.objective.weights(state.images_seen)
        # Comparable where weights differ, as in a sweep over them or during a ramp.
        plain = {
            f"{UNWEIGHTED}{self.name}/{part}": value / weights_of_terms[part] for part, value in zip(parts, values, strict=True)
        }
        state.record(named | plain | {f"{self.name}/loss": values.sum()})
        norm = nn.utils.get_total_norm(gradients)
        state.record({f"{self.name}/gradient_norm": norm})
        state.show(loss_inputs)
        if not isfinite(norm.item()):
            self.network.zero_grad()
            raise self._not_finite(["gradient"], loss_inputs)
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

    def _without_gradient(self, name: str, value: Tensor, gradients: Sequence[Tensor | None]) -> str:
        """Say why a term teaches this network nothing. gradients: at each weight, None where it does not depend on it."""
        if not value.requires_grad:
            why = "it is cut off from the network, as by .detach(), .item(), torch.tensor() or torch.no_grad()"
        elif all(gradient is None for gradient in gradients):
            why = f"it does not depend on them, for it measures {', '.join(self.objective.terms[name].needs) or 'nothing'}"
        else:
            why = "it is 0 at each of them, as after rounding or comparing"
        without = rules.without_loss(name, "choose ")
        return f"loss.{name} has no gradient at the {self.name}'s weights: {why}. Let it change with them, or {without}."

    def optimizer(self) -> Optimizer:
        """Return a new optimizer of the network. Schedules multiply its initial learning rate."""
        optimizer = self.make_optimizer(self.network.parameters())
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        # Without the learning rate, which the schedule sets at each step.
        self._settings = [
            {name: value for name, value in group.items() if name not in ("params", "lr")} for group in optimizer.param_groups
        ]
        return optimizer

    def reset_settings(self, optimizer: Optimizer) -> None:
        """Give an optimizer that was loaded today's settings, not those in its checkpoint."""
        for group, settings in zip(optimizer.param_groups, self._settings, strict=True):
            group.update(settings)

    def _not_finite(self, terms: list[str], inputs: LossInputs) -> NonFinite:
        used = self.objective.terms
        needs = (need for name in terms if name in used for need in used[name].needs)
        return NonFinite(self.name, terms, culprits(used, inputs), spoiled(needs, inputs))

    def _examine(self, parts: dict[str, Tensor], weights: list[nn.Parameter], inputs: LossInputs) -> None:
        """Check terms at their first use. Raises UserError for a term that is not finite or has no gradient at the weights."""
        for name, value in parts.items():
            if not torch.isfinite(value) and not self.state.batches_seen:  # later, the batch may be the cause
                cause, remedied = spoiled(self.objective.terms[name].needs, inputs), remedy(str(self.module.trainer.precision))
                because = f"{', '.join(cause)}, which it measures, is not finite or huge: {remedied}"
                own = of_itself(name, f"{value.item():g}")
                raise UserError(f"loss.{name} is {value.item():g} at its first use, because {because}." if cause else own)
            depends = value.requires_grad
            gradients = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True) if depends else ()
            moved = any(gradient is not None and bool(gradient.any()) for gradient in gradients)
            if not collectives.largest(int(moved), value.device):
                raise UserError(self._without_gradient(name, value, gradients))
            endless = any(gradient is not None and not torch.isfinite(gradient).all() for gradient in gradients)
            if endless and not self.state.batches_seen and not spoiled(self.objective.terms[name].needs, inputs):
                raise UserError(of_itself(name, gradient=True))
            # Gradients that are 0 count too: behind a layer that is initialised with zeros they are 0 until it has changed.
            self.reached[name] = {id(weight) for weight, one in zip(weights, gradients, strict=True) if one is not None}
