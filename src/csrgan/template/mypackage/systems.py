"""A system: how networks learn from a batch, and how they restore L."""

from __future__ import annotations

from collections.abc import Mapping

from csrgan.degradation.augmentation import Degradation
from csrgan.losses.objective import Objective, examine
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.training.state import MakeOptimizer, UpdateRule
from csrgan.training.system import System


class Regression(System):
    """One generator trained on all losses together, without a discriminator."""

    # The inputs that a loss may name. csrgan reads them from the source, to check the losses before a training starts.
    loss_inputs = ("restored", "sharp", "low", "theta", "theta_true", "log_variance")

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
        """Update the generator once."""
        output = self.generator(batch.low)
        self.updater.update(
            restored=output.image,
            sharp=batch.sharp,
            low=batch.low,
            theta=output.theta,
            log_variance=output.log_variance,
            theta_true=self.restorer.prior.normalise(batch.parameters),
        )
