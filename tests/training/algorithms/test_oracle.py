"""CSRGAN told the truth: the same network, with theta where theta^ would be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from composed import composed
from systems import fit, fitted, made, state

import csrgan
from csrgan.cli import main
from csrgan.config.build import build
from csrgan.config.combinations import combination_faults
from csrgan.errors import UserError

BLIND = ("condition=film", "loss/adversarial=none")
ORACLE = (*BLIND, "system.oracle=truth", "loss/parameters=none")
UNFOLDED = ("generator=unfolded", "generator.data_steps=1")
TV_UNET = ("generator=tv_unet", "generator.steps=2")
BODIES = {"spectral_unet": (), "unet": ("generator=unet",), "unfolded": UNFOLDED, "tv_unet": TV_UNET}


def batch_of(data: Any) -> Any:
    return data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)


def woken(system: Any) -> None:
    """A condition and the last layers begin as the identity: give them weights, so that theta shows."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for one, other in zip(system.generator.parameters(), system.ema.parameters(), strict=True):
            one.add_(0.05 * torch.randn(one.shape, generator=generator))
            other.copy_(one)


@pytest.mark.parametrize("body", BODIES)
def test_truth_equal_to_the_prediction_gives_the_same_picture(body: str) -> None:
    system, data = made("csrgan", *BLIND, *BODIES[body])
    woken(system)
    low = system.restorer.preprocess(batch_of(data).low)
    blind = system.generator(low)
    told = system.generator(low, blind.theta)
    assert torch.equal(told.image, blind.image)
    assert told.theta is None
    assert not torch.equal(system.generator(low, blind.theta + 0.3).image, blind.image)


@pytest.mark.parametrize("body", BODIES)
def test_an_oracles_picture_depends_on_theta_and_not_on_its_head(body: str) -> None:
    system, data = made("csrgan", *ORACLE, *BODIES[body])
    woken(system)
    batch, restorer = batch_of(data), system.restorer
    told = system.validation_step(batch)
    assert told.parameters is None and told.spread is None
    other = replace(batch.parameters, blur_std=(batch.parameters.blur_std + 1) % 5)
    assert not torch.equal(restorer.restore_given(batch.low, other).image, told.image)
    with torch.no_grad():
        for weight in system.ema.head.parameters():
            weight.fill_(torch.nan)
    assert torch.equal(system.validation_step(batch).image, told.image)


@pytest.mark.parametrize("body", BODIES)
def test_a_training_that_is_told_changes_all_of_the_blind_network_but_its_head(body: str) -> None:
    system, data = made("csrgan", *ORACLE, *BODIES[body], "trainer.images=16")
    blind, _ = made("csrgan", *BLIND, *BODIES[body])
    before = state(system.generator)
    assert before.keys() == blind.generator.state_dict().keys()
    assert all(torch.equal(weight, before[name]) for name, weight in blind.generator.state_dict().items())
    fit(system, data)
    moved = {name for name, weight in system.generator.named_parameters() if not torch.equal(weight, before[name])}
    names = {name for name, _ in system.generator.named_parameters()}
    assert names - moved == {name for name in names if name.startswith("head.")}


def test_a_told_and_a_blind_training_see_the_same_pictures() -> None:
    told, blind = (batch_of(made("csrgan", *words)[1]) for words in (ORACLE, BLIND))
    assert torch.equal(told.low, blind.low) and told.names == blind.names


def test_the_truth_reaches_the_picture_degraded_again() -> None:
    system = fitted("csrgan", *ORACLE, "loss/consistency=redegrade")
    assert "consistency" in system.generator_updater.objective.terms


def test_a_blind_network_can_be_told_where_it_uses_theta_and_an_oracle_only_the_truth() -> None:
    blind, data = made("csrgan", *BLIND)
    batch = batch_of(data)
    woken(blind)
    of_itself = blind.validation_step(batch)
    blind.restorer.use_oracle("truth")
    assert not torch.equal(blind.validation_step(batch).image, of_itself.image)
    blind.restorer.use_oracle("prediction")
    assert torch.equal(blind.validation_step(batch).image, of_itself.image)
    oracle, _ = made("csrgan", *ORACLE)
    with pytest.raises(UserError, match=r"CSRGAN has no prediction. Its choices: truth"):
        oracle.restorer.use_oracle("prediction")
    deaf, _ = made("csrgan")
    with pytest.raises(UserError, match=r"CSRGAN has no truth. Its choices: none"):
        deaf.restorer.use_oracle("truth")
    with pytest.raises(UserError, match=r"choose a checkpoint of system=srmd, or of system=csrgan with condition=film"):
        deaf.restorer.restore_given(batch.low, batch.parameters)


def test_an_oracle_restores_no_picture_whose_degradation_nobody_knows() -> None:
    system, data = made("csrgan", *ORACLE)
    batch = batch_of(data)
    restore = (
        lambda: system(batch.low),
        lambda: system.predict_step(batch),
        lambda: csrgan.Model(system, {})(batch.low),
    )
    for one in restore:
        with pytest.raises(UserError, match=r"this CSRGAN is an oracle.*cannot restore a picture whose degradation nobody knows"):
            one()
    assert system.restorer.restore_given(batch.low, batch.parameters).image.shape == batch.sharp.shape


def test_combinations_that_make_no_sense_are_told_at_once() -> None:
    settings = composed("system.oracle=truth", "trainer.ood_images=8")
    assert list(combination_faults(settings)) == [
        "system.oracle=truth tells the network the true degradation, and no part of it takes any: choose"
        " condition=film, generator=tv_unet or generator=unfolded.",
        "loss/parameters teaches a prediction, and system.oracle=truth leaves none: choose loss/parameters=none.",
        "trainer.ood_images=8 measures what S does to pictures whose degradation nobody knows, and with system.oracle=truth there"
        " is none: choose trainer.ood_images=0.",
    ]
    with pytest.raises(UserError, match=r"no part of it takes any"):
        build(settings["system"])
    with pytest.raises(UserError, match=r"CSRGAN.oracle has no prediction"):
        build(composed(*ORACLE)["system"] | {"oracle": "prediction"})


def test_the_experiment_is_the_hour_with_a_prompter() -> None:
    """It has the weights, the samples and the steps of csrgan_hour with the same condition."""
    told, blind = (composed(f"experiment={name}", "condition=film") for name in ("csrgan_hour_oracle", "csrgan_hour"))
    assert {key for key in told["system"] if told["system"][key] != blind["system"][key]} == {"losses", "oracle"}
    assert told["system"]["losses"]["image"] == blind["system"]["losses"]["image"]
    assert told["data"] == blind["data"]
    assert {key for key, value in told["trainer"].items() if value != blind["trainer"][key]} == {"calibration_images", "ood_images"}


def test_a_run_of_an_oracle_is_scored_again_and_refused_where_nobody_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, grid = tmp_path / "run", ("evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=48", "panels=1")
    small = ("generator.width=8", "generator.levels=2", "logger=none", "data.crop=32", "evaluation.crop=48")
    assert main(["train", "trainer=smoke", *ORACLE, *small, f"run_dir={run}"]) == 0
    assert "oracle: truth" in (run / "config.yaml").read_text()
    assert "theta_error" not in (run / "results.csv").read_text()
    assert main(["evaluate", f"checkpoint={run}", *grid, f"run_dir={tmp_path}/again"]) == 0
    assert (tmp_path / "again" / "results.csv").is_file()
    capsys.readouterr()
    for words in (
        ["restore", f"source={run}", f"destination={tmp_path}/restored"],
        ["publish", f"destination={tmp_path}/published"],
        ["evaluate", "system=wiener", "oracle=prediction", *grid, f"run_dir={tmp_path}/wiener"],
    ):
        assert main([words[0], f"checkpoint={run}", *words[1:]]) == 2
        assert "this CSRGAN is an oracle, trained with system.oracle=truth" in capsys.readouterr().err
