"""CSRGAN: one generator restores the picture and predicts its degradation; a discriminator tells S from H."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from csrgan.degradation.augmentation import Degradation
from csrgan.fault import Fault, check
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Objective, Term
from csrgan.networks.generator import Generator
from csrgan.records import Batch
from csrgan.systems.base import System, UpdateRule
from csrgan.systems.player import Player

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]


class CSRGAN(System):
    """L_G = adversarial + image + lambda x parameters; L_D by the adversarial loss's other side.

    losses: `adversarial` and other terms by name, each None where it is switched off; without an adversarial loss there is no
    discriminator.
    """

    def __init__(
        self,
        *,
        generator: Generator,
        discriminator: nn.Module,
        losses: dict[str, Any],
        degradation: Degradation,
        rule: UpdateRule,
        generator_optimizer: MakeOptimizer,
        discriminator_optimizer: MakeOptimizer,
    ) -> None:
        super().__init__(generator, degradation, rule)
        game: Adversarial | None = losses.get("adversarial")
        self.game = game = game if game and game.weight else None
        self.discriminator: nn.Module | None = discriminator if game else None
        offers = {"restored", "sharp", "low"}
        offers |= {"theta", "theta_true", "redegraded"} if generator.head else set()
        offers |= {"log_variance"} if generator.variance else set()
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
        if game and game.start and set(objective.terms) == {"adversarial"}:
            raise Fault(
                f"loss.adversarial.start={game.start} leaves the generator nothing to learn until then:"
                " the adversarial loss is its only one."
            )
        self.restorer = Player(self, "generator", generator, objective, index=0, shared=generator.body.encoder_weights())
        self.make_optimizers = (generator_optimizer, discriminator_optimizer)

    def on_fit_start(self) -> None:
        for term in self.restorer.objective.terms.values():
            getattr(term.function, "prepare", lambda: None)()

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        restored, theta, log_variance = self.generator(batch.low)
        theta_true = self.prior.normalise(batch.parameters)
        share = self.game.share(self.images_seen) if self.game else 0.0
        judge: Any = partial(self._judged, low=batch.low, theta=theta_true)
        if share:
            real, fake = judge(batch.sharp), judge(restored.detach())
            self.judge.turn(real=real, fake=fake)
            self.record({"D(real)": real.sigmoid().mean(), "D(fake)": fake.sigmoid().mean()})
        self.restorer.turn(
            {"adversarial": share},
            restored=restored,
            sharp=batch.sharp,
            low=batch.low,
            theta=theta,
            log_variance=log_variance,
            theta_true=theta_true,
            redegraded=lambda: self.redegraded(restored, theta),
            real=lambda: judge(batch.sharp, learn=False),
            fake=lambda: judge(restored, learn=False),
        )
        self.seen(batch)

    def _judged(self, image: Tensor, *, low: Tensor, theta: Tensor, learn: bool = True) -> Tensor:
        """The discriminator's logits. learn: it may change what it keeps of a forward pass (spectral norms); else it is left as
        it is."""
        judge = cast(nn.Module, self.discriminator).train(learn)
        logits: Tensor = judge(image, low, theta)
        judge.train()
        return logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        networks = [self.generator, self.discriminator] if self.discriminator else [self.generator]
        optimizers = [make(network.parameters()) for make, network in zip(self.make_optimizers, networks, strict=False)]
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
        return optimizers
