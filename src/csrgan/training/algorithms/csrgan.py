"""CSRGAN: one generator restores the picture and predicts its degradation; a discriminator tells S from H."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.prior import Prior
from csrgan.errors import raise_faults
from csrgan.losses import image, parameters
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Term
from csrgan.losses.parameters import ParameterTerm
from csrgan.networks.generator import Generator, GeneratorOutput
from csrgan.networks.heads import Bottleneck
from csrgan.networks.spectral import SpectralUNet
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.told import ToldRestorer
from csrgan.training.algorithms.gan import DISCRIMINATOR_ADAM, GANModule
from csrgan.training.state import ADAM, MakeOptimizer, UpdateRule


class CSRGAN(GANModule):
    """CSRGAN (the authors' program of 2021): one network restores L and predicts its degradation; a discriminator tells S from H.

    L_G = adversarial + image + lambda x parameters. A smaller L is enlarged bicubically first.

    oracle: truth, to tell the generator theta, in training and evaluation, where it would use theta^. Its head then stays as it
    was initialised, so that both networks have the same layers. For the other arguments see `GANModule`.
    """

    generator: Generator
    ema: Generator

    outputs = ("upsampled", "native")
    loss_inputs = ("restored", "sharp", "low", "real", "fake", "theta", "theta_true", "redegraded", "log_variance")

    def __init__(
        self,
        *,
        generator: Generator | None = None,
        discriminator: nn.Module | None = None,
        losses: Mapping[str, object] | None = None,
        degradation: Degradation | None = None,
        oracle: Literal["truth"] | None = None,
        rule: UpdateRule = UpdateRule(),
        generator_optimizer: MakeOptimizer = ADAM,
        discriminator_optimizer: MakeOptimizer = DISCRIMINATOR_ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        generator = generator or _default_generator(degradation)
        self.given_as(generator=generator)
        losses = _default_losses() if losses is None else losses
        raise_faults(rules.told(oracle, condition=generator.condition is not None, reads_theta=generator.body.reads_theta))
        if oracle and generator.head:
            generator.head.requires_grad_(False)
        self.oracle = oracle
        super().__init__(
            generator=generator,
            discriminator=discriminator,
            losses=losses,
            degradation=degradation,
            rule=rule,
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
            predicts=generator.head is not None,
            variance=generator.variance,
            told=oracle is not None,
            shared=generator.body.encoder_weights(),
        )

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> LearnedRestorer:
        return ToldRestorer(network, degradation, self.oracle)

    def generate(self, low: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"]) -> GeneratorOutput:
        output: GeneratorOutput = self.generator(low, theta if self.oracle else None)
        return output

    def convert_units(self, prior: Prior) -> None:
        if self.generator.head is None:
            return
        factor, shift = self.restorer.prior.units_of(prior)
        for network in (self.generator, self.ema):
            network.reexpress(factor, shift)


def _default_generator(degradation: Degradation) -> Generator:
    head = partial(Bottleneck, hidden=64, stop_gradient=False)
    return Generator(SpectralUNet(), parameter_head=head, predicted=degradation.prior.predicted)


def _default_losses() -> dict[str, Adversarial | Term]:
    image_term = Term(partial(image.charbonnier, epsilon=1e-3))
    return {"adversarial": Adversarial(), "image": image_term, "parameters": ParameterTerm(parameters.mse, 0.1)}
