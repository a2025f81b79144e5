"""A system: how networks learn from a batch, and what they make of L."""

from __future__ import annotations

from collections.abc import Mapping

from csrgan.degradation.augmentation import Degradation
from csrgan.losses.objective import Objective
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.training.state import MakeOptimizer, UpdateRule
from csrgan.training.system import System


class Regression(System):
    """One generator, which learns its losses together; there is no discriminator."""

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
        self.updater = self.add_updater("generator", generator, Objective(terms, offered), optimizer)

    def learn(self, batch: Batch) -> None:
        output = self.generator(batch.low)
        self.updater.update(
            restored=output.image,
            sharp=batch.sharp,
            low=batch.low,
            theta=output.theta,
            log_variance=output.log_variance,
            theta_true=self.restorer.prior.normalise(batch.parameters),
        )
