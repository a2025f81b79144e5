"""SRGAN: at first the image loss alone, then the adversarial loss and the perceptual distance too."""

from __future__ import annotations

import pytest
import torch
from systems import fit, fitted, made
from torch import Tensor, nn
from torch.nn import functional

from csrgan.errors import UserError


def test_the_adversarial_loss_and_the_perceptual_distance_start_late() -> None:
    late = {"generator/perceptual", "generator/adversarial", "D(fake)"}
    one = fitted("srgan", "loss.adversarial.start=6", "loss.perceptual.start=8")
    assert late & one.state.recorded.keys() == late - {"generator/perceptual"}
    usual = fitted("srgan")  # 8 images
    assert [term.start for term in usual.generator_updater.objective.terms.values()] == [0, 6, 6]  # four fifths of them
    assert late <= usual.state.recorded.keys()


@pytest.mark.parametrize("discriminator", ["srgan", "conditional", "unet_sn"])
def test_it_learns_from_l_of_fewer_pixels(discriminator: str) -> None:
    """The discriminator gets L enlarged to the size of its picture."""
    now = ("loss.adversarial.start=0", "loss.perceptual.start=0")
    system = fitted("srgan", "degradation=gaussian8_x2", f"discriminator={discriminator}", *now)
    assert "generator/adversarial" in system.state.recorded


def test_a_new_small_network_returns_the_enlarged_picture() -> None:
    system, _ = made("srgan", "degradation=gaussian8_x2", "loss/parameters=none")
    low = torch.randint(256, (1, 3, 24, 30)) / 255  # the protocol's L has 8 bits
    enlarged = functional.interpolate(low, scale_factor=2, mode="bicubic", antialias=True).clamp(0, 1)
    assert torch.equal(system.restorer.restore(low).image, enlarged)


def test_a_loss_that_is_switched_off_may_leave_its_start_set() -> None:
    """system/srgan.yaml sets when the losses start, which must be no error for one that is switched off."""
    system = fitted("srgan", "loss/adversarial=none", "loss/perceptual=none")
    assert list(system.generator_updater.objective.terms) == ["image"]
    assert system.discriminator is None


class Silent(nn.Module):
    """A discriminator of one's own, without its return."""

    def forward(self, image: Tensor, low: Tensor, theta: Tensor) -> None:
        pass


def test_a_discriminator_that_gives_no_logits_is_named() -> None:
    system, data = made("srgan", "loss.adversarial.start=0")
    system.discriminator = Silent()
    named = r"^discriminator: test_srgan\.Silent gives nothing \(None\), and logits for each of the 2 pictures are needed\.$"
    with pytest.raises(UserError, match=named):
        fit(system, data)
