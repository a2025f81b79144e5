"""Systems and data built by hand, and Lightning's own Trainer: no configuration, no command."""

from __future__ import annotations

import inspect
import sys
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import lightning
import pytest
import torch
from composed import composed
from torch import nn
from torch.multiprocessing import ProcessRaisedException

import csrgan
from csrgan.arguments import Recorded, description, name_of
from csrgan.config.build import without_empty
from csrgan.networks.generator import Generator
from csrgan.networks.heads import Bottleneck
from csrgan.networks.unet import UNet
from csrgan.restorers.bicubic import Bicubic
from csrgan.restorers.kernelgan import KernelGAN
from csrgan.restorers.total_variation import TotalVariation
from csrgan.restorers.wiener import Wiener

FROM_BUDGET = {"schedule", "gradient_stats_every"}  # of a rule: what a command knows of the budget


def comparable(node: Any) -> Any:
    """Without what is switched off and what follows from a command's budget."""
    if isinstance(node, dict):
        return {key: comparable(value) for key, value in node.items() if value is not None and key not in FROM_BUDGET}
    return [comparable(value) for value in node] if isinstance(node, list | tuple) else node


@pytest.mark.parametrize("name", ["csrgan", "srgan", "srmd", "ikc", "dan", "bicubic", "wiener", "total_variation", "kernelgan"])
def test_a_system_built_by_hand_is_the_one_that_its_yaml_describes(name: str) -> None:
    """So the defaults of Python and of the configuration cannot part."""
    native = partial(csrgan.Degradation, scale={"low": 2.0, "high": 2.0}, noise={"low": 0.0, "high": 0.0}, output="native")
    made = {
        **{"csrgan": csrgan.CSRGAN, "srgan": csrgan.SRGAN, "srmd": csrgan.SRMD, "ikc": csrgan.IKC, "dan": csrgan.DAN},
        **{
            "bicubic": Bicubic,
            "wiener": Wiener,
            "total_variation": TotalVariation,
            "kernelgan": lambda: KernelGAN(degradation=native()),
        },
    }[name]
    trained = name in ("csrgan", "srgan", "srmd", "ikc", "dan")
    words = [] if trained else ["degradation=readme"]
    theirs = without_empty(composed(f"system={name}", *words, command="train" if trained else "evaluate")["system"])
    mine = description(made())
    if name == "kernelgan":
        theirs.pop("degradation"), mine.pop("degradation")
    assert comparable(mine) == comparable(theirs)


def test_photographs_have_the_defaults_of_their_yaml() -> None:
    data = composed("data=folder")["data"]
    arguments = inspect.signature(csrgan.Photographs).parameters
    defaults = {name: each.default for name, each in arguments.items() if name != "degradation"}
    defaults |= {"grid": dict(defaults["grid"]), "metrics": [*defaults["metrics"]]}
    assert defaults == {key: value for key, value in data.items() if key not in ("_target_", "degradation")}


def photographs(**change: Any) -> csrgan.Photographs:
    given = {"train": ["astronaut"], "valid": ["chelsea"], "images": 8, "batch_size": 4, "crop": 32, "evaluation_crop": 32}
    return csrgan.Photographs(**(given | {"grid": {"blur": 2, "scale": 1, "noise": 1}} | change))


def small(body: nn.Module | None = None) -> csrgan.CSRGAN:
    """Small enough for a test."""
    torch.manual_seed(0)
    body = body or UNet(width=8, levels=1, spectrum_bins=8, spectrum_tile=32)
    head = partial(Bottleneck, hidden=8, stop_gradient=False)
    return csrgan.CSRGAN(generator=Generator(body, parameter_head=head))


def trainer(folder: Path, **settings: Any) -> lightning.Trainer:
    given = {"accelerator": "cpu", "max_epochs": 1, "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return lightning.Trainer(default_root_dir=folder, **(given | settings))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[csrgan.CSRGAN, Path]:
    """After two passes over the data, with a checkpoint of Lightning's own."""
    folder = tmp_path_factory.mktemp("plain")
    system, data = small(), photographs()
    fitting = trainer(folder, max_epochs=2)
    fitting.fit(system, data)
    fitting.save_checkpoint(folder / "mine.ckpt")
    return system.eval(), folder / "mine.ckpt"


def test_lightning_fits_scores_and_predicts(trained: tuple[csrgan.CSRGAN, Path], tmp_path: Path) -> None:
    system, data, plain = trained[0], photographs(), trainer(tmp_path)
    assert system.images_seen == 16
    (scores,) = plain.validate(system, data, verbose=False)
    assert scores["valid/gain_db"] == system.summary["gain_db"]
    assert plain.callback_metrics["valid/psnr_low"] == pytest.approx(system.summary["psnr_low"])
    found = plain.predict(system, data)
    assert found is not None and len(found) == len(system.rows) == 2
    assert torch.equal(found[0].image, system(next(iter(_degraded(data))).low).image)
    (of_tensor,) = plain.predict(system, torch.utils.data.DataLoader(torch.rand(2, 3, 20, 24), batch_size=2)) or [None]
    assert of_tensor.image.shape == (2, 3, 20, 24)


def _degraded(data: csrgan.Photographs) -> Any:
    for batch in data.val_dataloader():
        yield data.on_after_batch_transfer(batch, 0)


def test_each_pass_sees_other_samples() -> None:
    loader = photographs().train_dataloader()
    seen = []
    for epoch in range(2):
        loader.span.set_epoch(epoch)
        seen += [index for batch in loader.span for index in batch]
    assert seen == list(range(16))


def test_a_checkpoint_of_plain_lightning_loads(trained: tuple[csrgan.CSRGAN, Path]) -> None:
    system, file = trained
    low = torch.rand(1, 3, 40, 44)
    for found in (
        csrgan.load(file).system,
        csrgan.CSRGAN.load_from_checkpoint(file),
        csrgan.CSRGAN.load_from_checkpoint(file, generator=small().generator),
    ):
        assert found.images_seen == 16
        assert torch.equal(found.eval()(low).image, system(low).image)
    with pytest.raises(csrgan.UserError, match="holds the system CSRGAN, not SRMD"):
        csrgan.SRMD.load_from_checkpoint(file)


class Own(UNet):
    """A body of a stranger's, whose arguments are recorded because `Body` records them."""


class Silent(nn.Module):
    """A discriminator that does not record its arguments."""

    def forward(self, image: torch.Tensor, low: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return image.mean(dim=(1, 2, 3))[:, None]


def test_a_network_of_ones_own_is_named_in_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_networks")
    module.Own = Own  # type: ignore[attr-defined]
    monkeypatch.setattr(Own, "__module__", "my_networks")
    monkeypatch.setitem(sys.modules, "my_networks", module)
    system = small(Own(width=8, levels=1, spectrum_bins=8, spectrum_tile=32))
    plain = trainer(tmp_path)
    plain.strategy.connect(system)
    plain.save_checkpoint(tmp_path / "a.ckpt")
    with pytest.raises(csrgan.UserError, match="CSRGAN_ALLOW"):
        csrgan.load(tmp_path / "a.ckpt")
    monkeypatch.setenv("CSRGAN_ALLOW", "my_networks")
    assert isinstance(csrgan.load(tmp_path / "a.ckpt").system.generator.body, Own)


def test_a_network_that_cannot_say_how_it_was_made_is_a_warning_and_then_a_sentence(tmp_path: Path) -> None:
    system = csrgan.CSRGAN(generator=small().generator, discriminator=Silent())
    plain = trainer(tmp_path)
    plain.strategy.connect(system)
    with pytest.warns(UserWarning, match="system.discriminator is a Silent, which does not record its arguments"):
        plain.save_checkpoint(tmp_path / "a.ckpt")
    with pytest.raises(csrgan.UserError, match="does not say what its network is made of"):
        csrgan.load(tmp_path / "a.ckpt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = csrgan.CSRGAN.load_from_checkpoint(tmp_path / "a.ckpt", generator=small().generator, discriminator=Silent())
    assert found.images_seen == 0


class Kept(Recorded):
    def __init__(self, first: int, *, second: Any = None) -> None:
        self.given_as(second=second or [1], third=3)


def test_a_description_holds_what_was_given_and_what_stood_for_it() -> None:
    assert {key: value for key, value in description(Kept(2)).items() if key != "_target_"} == {"first": 2, "second": [1]}
    assert description(torch.optim.Adam) == {"_target_": "torch.optim.Adam", "_partial_": True}
    with pytest.raises(csrgan.UserError, match=r"a\.b is .*<lambda> of .*, which no other program can import"):
        description({"b": lambda: 0}, "a")
    assert name_of(nn.Conv2d) == "torch.nn.Conv2d"


def test_a_trainer_of_several_processes_is_refused_before_the_first_batch() -> None:
    trainer = lightning.Trainer(
        accelerator="cpu", devices=2, strategy="ddp_fork", max_epochs=1, logger=False, enable_checkpointing=False
    )
    with pytest.raises(
        ProcessRaisedException, match=r"UserError: this Trainer starts 2 processes: one training on several devices"
    ):
        trainer.fit(small(), photographs())
