"""A generator that restores against a discriminator that tells S from H: what CSRGAN and SRGAN have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.optim import Adam

from csrgan.degradation.augmentation import Degradation, redegraded
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Objective, Term, examine
from csrgan.networks.discriminators import VGG
from csrgan.networks.generator import GeneratorOutput
from csrgan.records import Batch
from csrgan.rules import DISCRIMINATOR_INPUTS
from csrgan.training.state import MakeOptimizer, UpdateRule
from csrgan.training.system import System

AGAINST = partial(Adam, lr=1e-4, betas=(0.9, 0.99))  # of the discriminator


class GANModule(System):
    """L_G = adversarial + other terms; L_D by the adversarial loss's other side.

    losses: `adversarial` and other terms by name, each None where it is switched off; without an adversarial loss there is no
    discriminator. predicts, variance: whether this generator predicts the degradation, and a variance. shared: weights at which
    gradients are compared.
    """

    loss_inputs: tuple[str, ...] = ("restored", "sharp", "low", "real", "fake")

    def __init__(
        self,
        *,
        generator: nn.Module,
        discriminator: nn.Module | None,
        losses: Mapping[str, Any],
        degradation: Degradation,
        rule: UpdateRule,
        generator_optimizer: MakeOptimizer,
        discriminator_optimizer: MakeOptimizer,
        predicts: bool = True,
        variance: bool = True,
        shared: Sequence[nn.Parameter] = (),
    ) -> None:
        super().__init__(generator, degradation, rule)
        discriminator = discriminator or VGG()
        self.given_as(discriminator=discriminator, losses=losses)
        # A file may set something of a term that the user switched off: what is left of it is a mapping.
        losses = {name: term for name, term in losses.items() if isinstance(term, Adversarial | Term)}
        game: Adversarial | None = losses.get("adversarial")
        game = game if game and game.weight else None
        self.discriminator: nn.Module | None = discriminator if game else None
        dropouts = any(isinstance(layer, _DropoutNd) for layer in discriminator.modules())
        self.knows_modes = dropouts or any(True for _ in discriminator.buffers())  # whether eval() changes what it does
        examine(self, losses, predicts=predicts, variance=variance)
        terms = {name: term for name, term in losses.items() if name != "adversarial"}
        against: Term | None = None
        if game:
            terms["adversarial"], against = game.sides()
        self.generator_updater = self.add_updater(
            "generator", generator, Objective(terms, self.loss_inputs), generator_optimizer, shared
        )
        if against:
            objective = Objective({"adversarial": against}, DISCRIMINATOR_INPUTS)
            self.discriminator_updater = self.add_updater("discriminator", discriminator, objective, discriminator_optimizer)

    def learn(self, batch: Batch) -> None:
        output: GeneratorOutput = self.generator(self.restorer.preprocess(batch.low))
        theta_true = self.restorer.prior.normalise(batch.parameters)
        logits = partial(self._logits, low=batch.enlarged, theta=theta_true)
        if self.discriminator and self.discriminator_updater.active:
            real, fake = logits(batch.sharp), logits(output.image.detach())
            self.discriminator_updater.update(real=real, fake=fake)
            self.state.record({"D(real)": real.sigmoid().mean(), "D(fake)": fake.sigmoid().mean()})
        self.generator_updater.update(
            restored=output.image,
            sharp=batch.sharp,
            low=batch.low,
            theta=output.theta,
            log_variance=output.log_variance,
            theta_true=theta_true,
            redegraded=lambda: redegraded(output.image, cast(Tensor, output.theta), self.restorer.degradation),
            real=lambda: logits(batch.sharp, learn=False),
            fake=lambda: logits(output.image, learn=False),
        )

    def _logits(self, image: Tensor, *, low: Tensor, theta: Tensor, learn: bool = True) -> Tensor:
        """The discriminator's logits. low: as large as the picture. learn: it may change what it keeps of a forward pass (spectral
        norms); else it is left as it is."""
        discriminator = cast(nn.Module, self.discriminator)
        other = not learn and self.knows_modes  # to set a network's mode walks through all of its layers
        logits: Tensor = (discriminator.eval() if other else discriminator)(image, low, theta)
        if other:
            discriminator.train()
        return logits
