"""CSRGAN: one generator restores the picture and predicts its degradation; a discriminator tells S from H."""

from __future__ import annotations

from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.prior import Prior
from csrgan.fault import check
from csrgan.losses.objective import Term
from csrgan.networks.generator import Generator
from csrgan.systems.base import MakeOptimizer, UpdateRule
from csrgan.systems.degraded import enlarged
from csrgan.systems.game import Game


class CSRGAN(Game):
    """L_G = adversarial + image + lambda x parameters. losses: see `Game`. A smaller L is enlarged bicubically first."""

    outputs = ("upsampled", "native")

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
        offers = {"theta", "theta_true", "redegraded"} if generator.head else set()
        offers |= {"log_variance"} if generator.variance else set()
        asked: Term | None = losses.get("parameters")
        check(
            "theta" in offers or not (asked and asked.weight),
            "loss/parameters has no prediction to judge, because parameter_head is none or degradation.predicted is empty:"
            " choose loss/parameters=none.",
        )
        super().__init__(
            generator=generator,
            discriminator=discriminator,
            losses=losses,
            degradation=degradation,
            rule=rule,
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
            offers=offers,
            shared=generator.body.encoder_weights(),
        )

    def keep_meaning(self, prior: Prior) -> None:
        if cast(Generator, self.generator).head is None:
            return
        factor, shift = self.prior.units_of(prior)
        for network in (self.generator, self.average):
            cast(Generator, network).reexpress(factor, shift)

    def given(self, low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h2 w2"]:
        return enlarged(low, self.enlarge)
