"""A trained network restores without the packages that only its training used."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import lightning
import pytest
import torch
from torch import Tensor

import csrgan
from csrgan.api import teaching
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Term
from csrgan.losses.parameters import ParameterTerm
from csrgan.networks.generator import Generator
from csrgan.networks.heads import Bottleneck
from csrgan.networks.unet import UNet


def charbonnier(restored: Tensor, sharp: Tensor, *, margin: float) -> Tensor:
    return ((restored - sharp).square() + margin**2).sqrt().mean()


def far(theta: Tensor, theta_true: Tensor) -> Tensor:
    return (theta - theta_true).abs().max()


def fooled(fake: Tensor) -> Tensor:
    return -fake.mean()


class OwnAdam(torch.optim.Adam):
    pass


LOSSES = {
    "image": Term(partial(charbonnier, margin=0.01), 2.0),
    "sharpness": Term(partial(charbonnier, margin=0.1), 0.5),
    "parameters": ParameterTerm(far, 0.1),
    "adversarial": Adversarial(1e-3, generator=fooled),
}


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The package of the losses, which is taken away before the network is loaded."""
    module = ModuleType("my_losses")
    for each in (charbonnier, far, fooled, OwnAdam):
        setattr(module, each.__name__, each)
        monkeypatch.setattr(each, "__module__", "my_losses")
    monkeypatch.setitem(sys.modules, "my_losses", module)
    return monkeypatch


@pytest.mark.parametrize("names", [["image"], ["image", "parameters"], list(LOSSES)], ids=lambda names: names[-1])
def test_losses_and_optimizers_of_absent_packages_are_not_needed(
    names: list[str], away: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    head = partial(Bottleneck, hidden=8, stop_gradient=False)
    generator = Generator(UNet(width=8, levels=1, spectrum_bins=8, spectrum_tile=32), parameter_head=head)
    losses = {name: LOSSES[name] for name in names}
    system = csrgan.CSRGAN(generator=generator, losses=losses, generator_optimizer=partial(OwnAdam, lr=1e-3))
    plain = lightning.Trainer(default_root_dir=tmp_path, accelerator="cpu", logger=False, enable_progress_bar=False)
    plain.strategy.connect(system)
    plain.save_checkpoint(tmp_path / "a.ckpt")
    assert "my_losses" in str(system.described())
    away.delitem(sys.modules, "my_losses")
    low = torch.rand(1, 3, 40, 44)
    assert torch.equal(csrgan.load(tmp_path / "a.ckpt").system(low).image, system.eval()(low).image)


def test_the_packages_of_what_restores_are_named() -> None:
    system = {
        "_target_": "csrgan.training.algorithms.csrgan.CSRGAN",
        "generator": {"_target_": "csrgan.networks.generator.Generator", "body": {"_target_": "my_nets.Body"}},
        "discriminator": {"_target_": "my_opponents.Judge"},
        "losses": {"image": {"_target_": "my_losses.Loss"}},
    }
    degradation = {"factors": [{"_target_": "my_factors.Haze"}]}
    assert teaching.packages({"system": system, "degradation": degradation}) == {"my_nets", "my_factors"}
