"""CSRGAN: one generator restores the picture and predicts its degradation; a discriminator tells S from H."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn
from torch.optim import Optimizer

from csrgan.degradation.augmentation import Degradation
from csrgan.fault import check
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Objective, Term
from csrgan.records import Batch
from csrgan.systems.base import System, UpdateRule
from csrgan.systems.player import Player

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]


class CSRGAN(System):
    """L_G = adversarial + image + lambda x parameters; L_D by the adversarial loss's other side.

    losses: `adversarial`, `image` and `parameters`, each None where it is switched off; without an adversarial loss there
    is no discriminator.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,
        discriminator: nn.Module,
        losses: dict[str, Any],
        degradation: Degradation,
        rule: UpdateRule,
        generator_optimizer: MakeOptimizer,
        discriminator_optimizer: MakeOptimizer,
    ) -> None:
        super().__init__(generator, degradation, rule)
        game: Adversarial | None = losses.get("adversarial")
        game = game if game and game.weight else None
        self.discriminator: nn.Module | None = discriminator if game else None
        offers = {"restored", "sharp", "low"}
        offers |= {"theta", "theta_true"} if getattr(generator, "head", None) else set()
        asked: Term | None = losses.get("parameters")
        check(
            "theta" in offers or not (asked and asked.weight),
            "loss/parameters has no prediction to judge, because parameter_head is none or degradation.predicted is empty:"
            " choose loss/parameters=none.",
        )
        terms = {name: term for name, term in losses.items() if name != "adversarial"}
        if game:
            offers |= {"real", "fake"}
            terms["adversarial"] = Term(game.generator, game.weight)
            against = Objective({"adversarial": Term(game.discriminator, 1.0)}, {"real", "fake"})
            self.judge = Player(self, "discriminator", discriminator, against, index=1)
        objective = Objective(terms, offers)
        check(bool(objective), "every loss of the generator is none or weighs 0: choose a loss/image or a loss/adversarial.")
        self.restorer = Player(self, "generator", generator, objective, index=0)
        self.make_optimizers = (generator_optimizer, discriminator_optimizer)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        restored, theta = self.generator(batch.low)
        judge: Any = self.discriminator
        if judge:
            real, fake = judge(batch.sharp), judge(restored.detach())
            self.judge.turn(real=real, fake=fake)
            self.record({"D(real)": real.sigmoid().mean(), "D(fake)": fake.sigmoid().mean()})
        self.restorer.turn(
            restored=restored,
            sharp=batch.sharp,
            low=batch.low,
            theta=theta,
            theta_true=lambda: self.prior.normalise(batch.parameters),
            real=lambda: judge(batch.sharp),
            fake=lambda: judge(restored),
        )
        self.seen(batch)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        networks = [self.generator, self.discriminator] if self.discriminator else [self.generator]
        optimizers = [make(network.parameters()) for make, network in zip(self.make_optimizers, networks, strict=False)]
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
        return optimizers
