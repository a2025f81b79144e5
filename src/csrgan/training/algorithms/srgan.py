"""SRGAN: SRResNet, trained on an image loss, then also on a perceptual distance and against a discriminator (Ledig et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.losses import image
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.backbones import efficientnet_lite0
from csrgan.losses.objective import Term
from csrgan.losses.perceptual import FeatureDistance
from csrgan.networks.discriminators import SRGANs
from csrgan.networks.papers.srresnet import SRResNet
from csrgan.training.algorithms.gan import DISCRIMINATOR_ADAM, GANModule
from csrgan.training.state import ADAM, MakeOptimizer, UpdateRule

LATE = 3840  # images with the image loss alone, of the default 4,800


class SRGAN(GANModule):
    """SRGAN (Ledig et al. 2017): SRResNet, trained on the image loss alone, then also adversarially. Predicts no degradation.

    generator: makes the network for a factor `enlarge`. For the other arguments see `GANModule`.
    """

    outputs = ("native", "upsampled")

    def __init__(
        self,
        *,
        generator: Callable[..., nn.Module] = partial(SRResNet, width=64, blocks=16, unshuffle=4, skip=False),
        discriminator: nn.Module | None = None,
        losses: Mapping[str, object] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        generator_optimizer: MakeOptimizer = ADAM,
        discriminator_optimizer: MakeOptimizer = DISCRIMINATOR_ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        super().__init__(
            generator=generator(enlarge=degradation.multiple),
            discriminator=discriminator or SRGANs(),
            losses=_default_losses() if losses is None else losses,
            degradation=degradation,
            rule=rule,
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
        )


def _default_losses() -> dict[str, Adversarial | Term]:
    features = FeatureDistance(backbone=efficientnet_lite0, layers=[0, 2, 4, 10])
    return {
        "adversarial": Adversarial(start=LATE),
        "image": Term(image.mse),
        "perceptual": Term(features, 3e-3, start=LATE),
    }
