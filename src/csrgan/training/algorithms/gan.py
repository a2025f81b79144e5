"""The base class of CSRGAN and SRGAN: a generator restores, a discriminator tells S from H."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.optim import Adam

from csrgan.degradation.augmentation import Degradation, redegraded
from csrgan.errors import UserError, found
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Objective, Term, examine
from csrgan.networks.discriminators import VGG
from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.results import full_name, require_shape
from csrgan.records import Batch
from csrgan.rules import DISCRIMINATOR_INPUTS
from csrgan.training.state import MakeOptimizer, UpdateRule
from csrgan.training.system import System

DISCRIMINATOR_ADAM = partial(Adam, lr=1e-4, betas=(0.9, 0.99))


class GANModule(System):
    """L_G = adversarial + other terms; L_D = the discriminator's side of the adversarial loss.

    losses: `adversarial` and other terms by name, each None where it is switched off; without an adversarial loss there is no
    discriminator. predicts, variance: whether this generator predicts the degradation, and its variance. told: whether it is told
    the true one instead. shared: weights at which gradients are compared.
    """

    loss_inputs: tuple[str, ...] = ("restored", "sharp", "low", "real", "fake")

    def __init__(
        self,
        *,
        generator: nn.Module,
        discriminator: nn.Module | None,
        losses: Mapping[str, object],
        degradation: Degradation,
        rule: UpdateRule,
        generator_optimizer: MakeOptimizer,
        discriminator_optimizer: MakeOptimizer,
        predicts: bool = True,
        variance: bool = True,
        told: bool = False,
        shared: Sequence[nn.Parameter] = (),
    ) -> None:
        super().__init__(generator, degradation, rule)
        discriminator = discriminator or VGG()
        self.given_as(discriminator=discriminator, losses=losses)
        # Settings of a term that the user switched off leave a mapping in its place; it is dropped.
        enabled = {name: term for name, term in losses.items() if isinstance(term, Adversarial | Term)}
        adversarial = _adversarial(enabled.get("adversarial"))
        self.discriminator: nn.Module | None = discriminator if adversarial else None
        dropouts = any(isinstance(layer, _DropoutNd) for layer in discriminator.modules())
        self.has_modes = dropouts or any(True for _ in discriminator.buffers())  # whether eval() changes what it does
        examine(self, losses, predicts=predicts, variance=variance, told=told)
        terms: dict[str, object] = {name: term for name, term in enabled.items() if name != "adversarial"}
        discriminator_term: Term | None = None
        if adversarial:
            terms["adversarial"], discriminator_term = adversarial.sides()
        self.generator_updater = self.add_updater(
            "generator", generator, Objective(terms, self.loss_inputs), generator_optimizer, shared
        )
        if discriminator_term:
            objective = Objective({"adversarial": discriminator_term}, DISCRIMINATOR_INPUTS)
            self.discriminator_updater = self.add_updater("discriminator", discriminator, objective, discriminator_optimizer)

    def learn(self, batch: Batch) -> None:
        theta_true = self.restorer.prior.normalise(batch.parameters)
        output = self.generate(self.restorer.preprocess(batch.low), theta_true)
        require_shape(
            f"system.generator: {full_name(self.generator)}, for image,", output.image, batch.sharp.shape, "the shape of H"
        )
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
            redegraded=lambda: redegraded(
                output.image, theta_true if output.theta is None else output.theta, self.restorer.degradation
            ),
            real=lambda: logits(batch.sharp, learn=False),
            fake=lambda: logits(output.image, learn=False),
        )

    def generate(self, low: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"]) -> GeneratorOutput:
        """Return the generator's output. low: L as it enters the generator. theta: the true one, ignored if it is blind."""
        output: GeneratorOutput = self.generator(low)
        return output

    def _logits(self, image: Tensor, *, low: Tensor, theta: Tensor, learn: bool = True) -> Tensor:
        """Return the discriminator's logits.

        low: as large as the picture. learn: whether the forward pass may change buffers of the discriminator (spectral norms).
        """
        discriminator = cast(nn.Module, self.discriminator)
        evaluating = not learn and self.has_modes  # setting a network's mode walks through all of its layers
        logits: Tensor = (discriminator.eval() if evaluating else discriminator)(image, low, theta)
        if evaluating:
            discriminator.train()
        if not isinstance(logits, Tensor) or logits.shape[:1] != image.shape[:1]:
            place = f"discriminator: {full_name(discriminator)}"
            raise UserError(f"{place} gives {found(logits)}, and logits for each of the {len(image)} pictures are needed.")
        return logits


def _adversarial(loss: Adversarial | Term | None) -> Adversarial | None:
    """Return the adversarial loss; None where there is none or it weighs 0. Raises UserError for a loss of the generator alone."""
    if loss is None or not loss.weight:
        return None
    if isinstance(loss, Term):
        raise UserError("loss.adversarial is a Term, which has no discriminator's side: give an Adversarial, or rename the term.")
    return loss
