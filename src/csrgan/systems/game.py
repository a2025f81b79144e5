"""A generator that restores against a discriminator that tells S from H: what CSRGAN and SRGAN have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Adam

from csrgan.degradation.augmentation import Degradation
from csrgan.fault import check
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Objective, Term
from csrgan.networks.discriminators import VGG
from csrgan.networks.generator import Restored
from csrgan.records import Batch
from csrgan.systems.base import MakeOptimizer, System, UpdateRule
from csrgan.systems.player import Player

AGAINST = partial(Adam, lr=1e-4, betas=(0.9, 0.99))  # of the discriminator


class Game(System):
    """L_G = adversarial + other terms; L_D by the adversarial loss's other side.

    losses: `adversarial` and other terms by name, each None where it is switched off; without an adversarial loss there is no
    discriminator. offers: evidence that the generator gives beside S. shared: weights at which gradients are compared.
    """

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
        offers: Iterable[str] = (),
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
        offered = {"restored", "sharp", "low", *offers}
        terms = {name: term for name, term in losses.items() if name != "adversarial"}
        if game:
            offered |= {"real", "fake"}
            terms["adversarial"], against = game.sides()
            game_of_judge = Objective({"adversarial": against}, {"real", "fake"})
            self.judge_keeps = any(True for _ in discriminator.buffers())  # something of a forward pass
            self.judge = Player(self, "discriminator", discriminator, game_of_judge, index=1)
        objective = Objective(terms, offered)
        check(bool(objective), "every loss of the generator is none or weighs 0: choose a loss/image or a loss/adversarial.")
        first = min(objective.terms, key=lambda name: objective.terms[name].start)
        until = objective.terms[first].start
        check(until == 0, f"loss.{first}.start={until} leaves the generator nothing to learn until then: no other loss is earlier.")
        self.restorer = Player(self, "generator", generator, objective, index=0, shared=shared)
        self.make_optimizers = (generator_optimizer, discriminator_optimizer)

    def learn(self, batch: Batch) -> None:
        low = self.given(batch.low)
        found: Restored = self.generator(low)
        theta_true = self.prior.normalise(batch.parameters)
        judge: Any = partial(self._judged, low=batch.enlarged, theta=theta_true)
        if self.discriminator and self.judge.entered:
            real, fake = judge(batch.sharp), judge(found.image.detach())
            self.judge.turn(real=real, fake=fake)
            self.record({"D(real)": real.sigmoid().mean(), "D(fake)": fake.sigmoid().mean()})
        self.restorer.turn(
            restored=found.image,
            sharp=batch.sharp,
            low=batch.low,
            theta=found.theta,
            log_variance=found.log_variance,
            theta_true=theta_true,
            redegraded=lambda: self.redegraded(found.image, cast(Tensor, found.theta)),
            real=lambda: judge(batch.sharp, learn=False),
            fake=lambda: judge(found.image, learn=False),
        )

    def _judged(self, image: Tensor, *, low: Tensor, theta: Tensor, learn: bool = True) -> Tensor:
        """The discriminator's logits. low: as large as the picture. learn: it may change what it keeps of a forward pass (spectral
        norms); else it is left as it is."""
        judge = cast(nn.Module, self.discriminator)
        kept = not learn and self.judge_keeps  # to set a network's mode walks through all of its layers
        logits: Tensor = (judge.eval() if kept else judge)(image, low, theta)
        if kept:
            judge.train()
        return logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        networks = [self.generator, self.discriminator] if self.discriminator else [self.generator]
        return self.optimizers_of(*zip(self.make_optimizers, networks, strict=False))
