"""SRGAN: at first the image loss alone, then the game and the perceptual distance as well."""

from __future__ import annotations

import torch
from torch.nn import functional
from training import fitted, made


def test_the_game_and_the_perceptual_distance_enter_late() -> None:
    late = {"generator/perceptual", "generator/adversarial", "D(fake)"}
    one = fitted("srgan", "loss.adversarial.start=6", "loss.perceptual.start=8")
    assert late & one.recorded.keys() == late - {"generator/perceptual"}
    usual = fitted("srgan")  # 8 images
    assert [term.start for term in usual.restorer.objective.terms.values()] == [0, 6, 6]  # four fifths of them
    assert late <= usual.recorded.keys()


def test_a_small_network_begins_as_the_enlarged_picture() -> None:
    system, _ = made("srgan", "degradation=gaussian8_x2", "loss/parameters=none")
    low = torch.rand(1, 3, 24, 30)
    enlarged = functional.interpolate(low, scale_factor=2, mode="bicubic", antialias=True).clamp(0, 1)
    assert torch.equal(system.restore(low).image, enlarged)


def test_a_loss_that_is_switched_off_leaves_its_start_behind() -> None:
    """system/srgan.yaml sets when the losses enter; that is no reason to refuse one that is switched off."""
    system = fitted("srgan", "loss/adversarial=none", "loss/perceptual=none")
    assert list(system.restorer.objective.terms) == ["image"]
    assert system.discriminator is None
