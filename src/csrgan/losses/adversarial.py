"""Adversarial losses: functions of the discriminator's logits for sharp (`real`) and restored (`fake`) pictures."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from csrgan.losses.objective import Term

Logits = Float[Tensor, " b"]


@dataclass(frozen=True)
class Adversarial:
    """The two sides of one game. weight: of the generator's side; generator, discriminator: their loss functions."""

    weight: float
    generator: Term.Function
    discriminator: Term.Function


def bce_discriminator(real: Logits, fake: Logits) -> Float[Tensor, ""]:
    """-log D(H) - log(1 - D(S)), with D the sigmoid of the logit (Goodfellow et al. 2014, eq. 1)."""
    return softplus(-real).mean() + softplus(fake).mean()


def bce_generator(fake: Logits) -> Float[Tensor, ""]:
    """-log D(S), the non-saturating form (Goodfellow et al. 2014, section 3)."""
    return softplus(-fake).mean()
