"""Adversarial losses: functions of the discriminator's logits for sharp (`real`) and restored (`fake`) pictures.

A discriminator gives one logit per picture or one per position; every loss is the mean over all.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

from csrgan.losses.objective import Term, given, needs
from csrgan.ranges import CountOr0, NotNegative

Logits = Float[Tensor, "b *places"]
Scalar = Float[Tensor, ""]


def bce_discriminator(real: Logits, fake: Logits) -> Scalar:
    """-log D(H) - log(1 - D(S)), with D the sigmoid of the logit (Goodfellow et al. 2014, eq. 1)."""
    return softplus(-real).mean() + softplus(fake).mean()


def bce_generator(fake: Logits) -> Scalar:
    """-log D(S), the non-saturating form (Goodfellow et al. 2014, section 3)."""
    return softplus(-fake).mean()


def lsgan_discriminator(real: Logits, fake: Logits) -> Scalar:
    """((D(H) - 1)^2 + D(S)^2) / 2, with D the logit itself (Mao et al. 2017, eq. 9)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def lsgan_generator(fake: Logits) -> Scalar:
    """(D(S) - 1)^2 / 2 (Mao et al. 2017, eq. 9)."""
    return (fake - 1).square().mean() / 2


def hinge_discriminator(real: Logits, fake: Logits) -> Scalar:
    """max(0, 1 - D(H)) + max(0, 1 + D(S)) (Lim and Ye 2017, eq. 4)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def hinge_generator(fake: Logits) -> Scalar:
    """-D(S) (Lim and Ye 2017, eq. 5)."""
    return -fake.mean()


def relativistic_discriminator(real: Logits, fake: Logits) -> Scalar:
    """Binary cross-entropy of "more real than the mean of the other kind" (ESRGAN, Wang et al. 2018, eq. 1), halved."""
    return (softplus(fake.mean() - real).mean() + softplus(fake - real.mean()).mean()) / 2


def relativistic_generator(real: Logits, fake: Logits) -> Scalar:
    """The discriminator's loss with real and fake swapped (ESRGAN, Wang et al. 2018, eq. 2), halved."""
    return (softplus(real - fake.mean()).mean() + softplus(real.mean() - fake).mean()) / 2


@dataclass(frozen=True)
class Adversarial:
    """An adversarial loss: the generator's and the discriminator's loss function.

    weight: of the generator's loss. start: images seen before both losses start; until then the discriminator is frozen.
    ramp: images over which the generator's weight then rises from 0.
    """

    is_loss = True  # may stand under `loss`

    weight: NotNegative = 1e-3
    start: CountOr0 = 0
    ramp: CountOr0 = 0
    generator: Term.Function = bce_generator
    discriminator: Term.Function = bce_discriminator

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the loss inputs of the generator's loss."""
        return needs(self.generator)

    @property
    def against(self) -> tuple[str, ...]:
        """Return the loss inputs of the discriminator's loss."""
        return needs(self.discriminator)

    @property
    def given(self) -> tuple[str, ...]:
        """Return the names of the arguments with which the two were configured."""
        return given(self.generator) + given(self.discriminator)

    def sides(self) -> tuple[Term, Term]:
        """Return the generator's and the discriminator's term; both start together."""
        return Term(self.generator, self.weight, self.start, self.ramp), Term(self.discriminator, 1.0, self.start)
