"""A system: how networks learn from a batch, and what they make of L."""

from __future__ import annotations

from collections.abc import Mapping

from torch.optim import Optimizer

from csrgan.degradation.augmentation import Degradation
from csrgan.losses.objective import Objective
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.systems.base import MakeOptimizer, System, UpdateRule
from csrgan.systems.player import Player


class Regression(System):
    """One generator, which learns its losses together; nobody plays against it."""

    def __init__(
        self,
        *,
        generator: Generator,
        losses: Mapping[str, object],
        degradation: Degradation,
        rule: UpdateRule,
        optimizer: MakeOptimizer,
    ) -> None:
        super().__init__(generator, degradation, rule)
        offered = {"restored", "sharp", "low"} | ({"theta", "theta_true"} if generator.head else set())
        offered |= {"log_variance"} if generator.variance else set()
        terms = {name: term for name, term in losses.items() if name != "adversarial"}
        self.player = Player(self, "generator", generator, Objective(terms, offered), index=0)
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
