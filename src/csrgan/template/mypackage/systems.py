"""A system: how networks learn from a batch, and what they make of L."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from csrgan.degradation.augmentation import Degradation
from csrgan.losses.objective import Objective, examine
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.systems.base import MakeOptimizer, System, UpdateRule
from csrgan.systems.player import Player


class Regression(System):
    """One generator, which learns its losses together; nobody plays against it."""

    offers = ("restored", "sharp", "low", "theta", "theta_true", "log_variance")  # to its losses, told before a training begins

    def __init__(
        self,
        *,
        generator: Generator,
        losses: Mapping[str, Any],
        degradation: Degradation,
        rule: UpdateRule,
        optimizer: MakeOptimizer,
    ) -> None:
        super().__init__(generator, degradation, rule)
        examine(self, losses, predicts=generator.head is not None, variance=generator.variance)
        self.player = Player(self, "generator", generator, Objective(losses, self.offers), index=0)
        self.make_optimizer = optimizer

    def learn(self, batch: Batch) -> None:
        found = self.generator(batch.low)
        self.player.turn(
            restored=found.image,
            sharp=batch.sharp,
            low=batch.low,
            theta=found.theta,
            log_variance=found.log_variance,
            theta_true=self.prior.normalise(batch.parameters),
        )

    def configure_optimizers(self) -> list[Optimizer]:
        return self.optimizers_of((self.make_optimizer, self.generator))
