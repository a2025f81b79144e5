"""A system: how networks learn from a batch, and what they make of L."""

from __future__ import annotations

from collections.abc import Mapping

from csrgan.degradation.augmentation import Degradation
from csrgan.losses.objective import Objective, examine
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.training.state import MakeOptimizer, UpdateRule
from csrgan.training.system import System


class Regression(System):
    """One generator, which learns its losses together; there is no discriminator."""

    loss_inputs = (
        "restored",
        "sharp",
        "low",
        "theta",
        "theta_true",
        "log_variance",
    )  # to its losses, told before a training begins

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
        examine(self, losses, predicts=generator.head is not None, variance=generator.variance)
        self.updater = self.add_updater("generator", generator, Objective(losses, self.loss_inputs), optimizer)

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
