"""Contracts that every loss in conf/ keeps; new ones are tested automatically."""

from __future__ import annotations

import pytest
import torch
from composed import choices, composed
from torch import Tensor

from csrgan.config.build import build
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Term

TERMS = ("loss/image", "loss/parameters", "loss/perceptual", "loss/consistency")


# vgg19 must be downloaded and has its own test; a control has no minimum at the truth.
UNLIKE = ("none", "vgg19", "shuffled")


@pytest.mark.parametrize(("group", "name"), [(g, n) for g in TERMS for n in choices(g) if n not in UNLIKE])
def test_every_loss_is_finite_and_smallest_at_the_truth(group: str, name: str) -> None:
    term: Term = build(composed(f"{group}={name}")["loss"][group.split("/")[1]])
    shape = (2, 3) if group == "loss/parameters" else (2, 3, 32, 32)
    true = torch.rand(shape)
    off = (true + 0.1 * torch.randn(shape)).requires_grad_()
    inputs = {"sharp": true, "low": true, "theta_true": true, "log_variance": torch.full(shape, -3.0)}

    def value(guess: Tensor) -> Tensor:
        return term.function(*((inputs | dict.fromkeys(("restored", "redegraded", "theta"), guess))[need] for need in term.needs))

    value(off).backward()
    assert torch.isfinite(off.grad).all()
    assert value(true).item() < value(off).item()
    assert group == "loss/parameters" or value(true).item() == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("name", [name for name in choices("loss/adversarial") if name != "none"])
def test_the_two_adversarial_losses_have_opposite_gradients(name: str) -> None:
    """The discriminator's loss falls if it separates H from S, the generator's if S is classified as sharp."""
    loss: Adversarial = build(composed(f"loss/adversarial={name}")["loss"]["adversarial"])
    for shape in ((4,), (4, 5, 6)):
        real, fake = (torch.full(shape, value, requires_grad=True) for value in (0.1, 0.1))
        down_real, down_fake = torch.autograd.grad(loss.discriminator(real, fake), (real, fake))
        assert bool((down_real < 0).all())
        assert bool((down_fake > 0).all())
        inputs = {"real": real, "fake": fake}
        value = loss.generator(*(inputs[need] for need in Term(loss.generator, 1.0).needs))
        assert bool((torch.autograd.grad(value, fake)[0] < 0).all())
