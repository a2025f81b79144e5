"""Contracts that every system keeps; new ones are tested automatically."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from composed import composed
from lightning import Trainer
from systems import fitted, made, same, state

from csrgan.config.build import build
from csrgan.config.faults import check_command
from csrgan.config.folder import groups
from csrgan.errors import UserError
from csrgan.restorers.restorer import examine_protocol
from csrgan.runs import checkpoint
from csrgan.training.network_updater import NetworkUpdater

SYSTEMS = [
    file.stem
    for file in dict(groups())["system"]
    if file.stem not in ("bicubic", "external", "kernelgan", "program", "total_variation", "wiener")
]  # the trained systems
OF_PAPERS = [name for name in SYSTEMS if name != "csrgan"]  # the systems whose networks are not composed of parts


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_updater_changes_only_its_own_network_and_training_is_deterministic(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    updated: set[str] = set()
    update = NetworkUpdater.update

    def checked(updater: NetworkUpdater, **inputs: Any) -> None:
        networks = updater.module.networks()
        before = {name: state(network) for name, network in networks.items()}
        update(updater, **inputs)
        for part, network in networks.items():
            assert same(before[part], state(network)) == (network is not updater.network), (updater.name, part)
        updated.add(updater.name)

    monkeypatch.setattr(NetworkUpdater, "update", checked)
    one = fitted(name)
    assert updated == set(one.networks())
    assert (one.images_seen, one.state.batches_seen) == (8, 4)
    monkeypatch.undo()
    assert same(state(one), state(fitted(name)))


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_checkpoint_alone_rebuilds_it(name: str, tmp_path: Path) -> None:
    system = fitted(name)
    system.trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = checkpoint.read(tmp_path / "a.ckpt")
    again = build(content["csrgan"]["recipe"]["system"])
    again.load_state_dict(content["state_dict"])
    low = torch.rand(1, 3, 37, 50)
    one, other = again.restorer.restore(low), system.restorer.restore(low)
    assert one.image.shape == low.shape
    assert torch.equal(one.image, other.image)
    assert one.image.min() >= 0
    assert one.image.max() <= 1
    assert (one.parameters is None) == (name == "srgan")
    if one.parameters:
        assert torch.equal(one.parameters.stack(), other.parameters.stack())
        assert bool(torch.isfinite(one.parameters.stack()).all())


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_smaller_l_is_enlarged_and_another_scale_is_refused(name: str) -> None:
    degradation = "bicubic_x4" if name == "srgan" else "gaussian8_x4"
    system, data = made(name, f"degradation={degradation}")
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert batch.low.shape == (2, 3, 8, 8)
    assert batch.enlarged.shape == batch.sharp.shape
    assert system.restorer.restore(batch.low).image.shape == batch.sharp.shape
    with pytest.raises(UserError, match="the network enlarges by 4, and L of this degradation is smaller than H by 2"):
        examine_protocol(system.restorer, build(composed("degradation=gaussian8_x2")["degradation"]))


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_loss_that_is_not_finite_is_refused_by_name(name: str) -> None:
    system, data = made(name)
    (first, *_) = [updater for updater in system.updaters.values() if "image" in updater.objective.terms]
    first.objective.terms["image"].function = lambda restored, sharp: restored.sum() * float("nan")
    trainer = Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    with pytest.raises(UserError, match=r"^loss\.image gives nan at its first use, though its inputs are finite: look in its"):
        trainer.fit(system, data)


@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_choice_for_a_part_that_the_system_lacks_is_a_user_error(name: str) -> None:
    with pytest.raises(UserError, match="output=minmax changes nothing"):
        check_command("train", [f"system={name}", "output=minmax"])
