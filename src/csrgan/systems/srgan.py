"""SRGAN: SRResNet, learned on an image loss, then on a perceptual distance and against a discriminator too (Ledig et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.systems.base import MakeOptimizer, UpdateRule
from csrgan.systems.game import Game


class SRGAN(Game):
    """Predicts no degradation. generator: makes the network, given how often it enlarges. The rest: see `Game`."""

    outputs = ("native", "upsampled")

    def __init__(
        self,
        *,
        generator: Callable[..., nn.Module],
        discriminator: nn.Module,
        losses: dict[str, Any],
        degradation: Degradation,
        rule: UpdateRule,
        generator_optimizer: MakeOptimizer,
        discriminator_optimizer: MakeOptimizer,
    ) -> None:
        super().__init__(
            generator=generator(enlarge=degradation.multiple),
            discriminator=discriminator,
            losses=losses,
            degradation=degradation,
            rule=rule,
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
        )
