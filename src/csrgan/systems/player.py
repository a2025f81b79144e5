"""One player of the game: a network, its objective, and the update rule, written once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from csrgan.fault import Fault
from csrgan.losses.objective import Evidence, Objective
from csrgan.systems import gradients
from csrgan.systems.notfinite import NotFinite, culprits

if TYPE_CHECKING:
    from csrgan.systems.base import System


class Player:
    """Updates `network` by its objective: backward, clip, step, schedule, log. Touches no other weight.

    index: position of its optimiser among the system's.
    shared: the weights at which the gradients of its terms are compared now and then; none: nothing is compared.
    """

    def __init__(
        self,
        system: System,
        name: str,
        network: nn.Module,
        objective: Objective,
        index: int,
        shared: Sequence[nn.Parameter] = (),
    ) -> None:
        self.system, self.name, self.network, self.objective, self.index = system, name, network, objective, index
        self.shared = shared
        self.examined: set[str] = set()
        self.resting = False

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """All of its network's; kept, for to find them walks through all of its layers."""
        return list(self.network.parameters())

    @property
    def entered(self) -> bool:
        """Whether any of its terms has entered yet."""
        return any(term.share(self.system.images_seen) for term in self.objective.terms.values())

    def turn(self, **evidence: Any) -> None:
        """One update from this evidence: tensors, or functions that make them when a term first asks.

        A player none of whose terms has entered yet rests, and so does one that was told to. Raises NotFinite, with its weights
        as they were, where its loss or gradient is not finite.
        """
        if self.resting or not self.entered:
            return
        system, rule = self.system, self.system.rule
        weights = [weight for weight in self.parameters if weight.requires_grad]
        shown = Evidence(**evidence)
        parts = self.objective(shown, system.images_seen)
        system.watch(self, parts, shown)
        self._examine({name: value for name, value in parts.items() if name not in self.examined}, weights)
        if self.shared and system.compares_gradients:
            system.record(gradients.compare(parts, self.shared))
        loss = torch.stack(list(parts.values())).sum()
        if not isfinite(loss.item()):
            raise self._not_finite([name for name, value in parts.items() if not torch.isfinite(value)], shown)
        # With `inputs`, autograd neither computes nor adds up a gradient of the other player's weights.
        system.manual_backward(loss / rule.accumulate, inputs=weights)
        system.record({f"{self.name}/{part}": value for part, value in parts.items()} | {f"{self.name}/loss": loss})
        norm = nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        system.record({f"{self.name}/gradient_norm": norm})
        system.show(shown)
        if not isfinite(norm.item()):
            self.network.zero_grad()
            raise self._not_finite(["gradient"], shown)
        if (system.batches_seen + 1) % rule.accumulate:
            return
        optimizers: Any = system.optimizers()
        optimizer = optimizers[self.index] if isinstance(optimizers, list) else optimizers
        if rule.clip is not None:
            nn.utils.clip_grads_with_norm_(weights, rule.clip, norm)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * rule.schedule(system.images_seen) * system.pace
            system.record({f"lr/{self.name}": torch.tensor(group["lr"], dtype=torch.float64)})
        optimizer.step()
        optimizer.zero_grad()

    def _not_finite(self, terms: list[str], shown: Evidence) -> NotFinite:
        return NotFinite(self.name, terms, culprits(self.objective.terms, shown))

    def _examine(self, parts: dict[str, Tensor], weights: list[nn.Parameter]) -> None:
        """When a term is first used, it must be finite and reach the weights it is meant to move."""
        for name, value in parts.items():
            if not torch.isfinite(value) and not self.system.batches_seen:  # later, a batch may be to blame
                raise Fault(f"loss.{name} is {value.item()} when it is first used.")
            reached = value.requires_grad and torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
            if not reached or not any(gradient is not None and gradient.any() for gradient in reached):
                raise Fault(
                    f"loss.{name} has no gradient at the {self.name}'s weights; set it to none, or give it a network to move."
                )
        self.examined |= parts.keys()
