"""What a stranger's file may have built: what csrgan's own yaml files name, with arguments that fit, no larger than its weights."""

from __future__ import annotations

import copy
import resource
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import checkpoints
import pytest
from composed import GROUPS, choices, composed

from csrgan.config import announced, described
from csrgan.config.described import build_described, check_described
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import UserError
from csrgan.restorers.restorer import Restorer
from csrgan.training.system import System

ORIGIN = "checkpoint=a.ckpt: recipe"
PARTS = [name for name in GROUPS if name.partition("/")[0] in ("loss", "degradation", "system", "generator", "optimizer")] + [
    *("output", "parameter_head", "condition", "upsampling", "discriminator")
]


@pytest.mark.parametrize("group", PARTS)
def test_every_choice_can_travel_in_a_checkpoint(group: str) -> None:
    for choice in choices(group):
        if choice in ("external", "program"):  # they read the user's files, and run programs
            with pytest.raises(UserError, match="may not be built"):
                check_described(composed(f"{group}={choice}"), "system", Restorer, ORIGIN)
            continue
        settings = composed(f"{group}={choice}")
        trained = issubclass(resolve_name(settings["system"]["_target_"]), System)
        for key, kind in (("system", System if trained else Restorer), ("degradation", Degradation)):
            check_described(settings, key, kind, ORIGIN)


def test_what_is_built_has_the_shapes_of_the_weights() -> None:
    held = checkpoints.held()
    system = build_described(held["csrgan"]["recipe"], "system", System, ORIGIN, held["state_dict"])
    assert {name: weight.shape for name, weight in system.state_dict().items()} == {
        name: weight.shape for name, weight in held["state_dict"].items()
    }


def refused(change: Callable[[dict[str, Any]], Any], said: str) -> None:
    """The recipe is refused in sentences, of which one says this, without much memory."""
    held, recipe = checkpoints.held(), copy.deepcopy(checkpoints.recipe())
    change(recipe)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KB
    with pytest.raises(UserError) as told:
        build_described(recipe, "system", System, ORIGIN, held["state_dict"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
    assert said in str(told.value)
    assert all(line.startswith(ORIGIN) for line in str(told.value).split("\n"))


def body(recipe: dict[str, Any]) -> dict[str, Any]:
    return recipe["system"]["generator"]["body"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("middle_blocks", 10**9, marks=pytest.mark.long),
        ("width", 10**6),
        ("middle_blocks", 10**30),
        ("unshuffle", 2**20),
        ("width", 2**62),
    ],
)
def test_a_network_larger_than_its_weights_takes_no_memory(key: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if value != 10**9:  # once by the real limit, whose modules take seconds to make
        monkeypatch.setattr(described, "MODULES", 2000)
    refused(lambda recipe: body(recipe).update({key: value}), ORIGIN)


def test_many_layers_without_weights_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "MODULES", 20)
    refused(lambda recipe: None, "describes a network of more than 20 layers")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("width", 0, "generator.body.width=0 is below 1"),
        ("width", 2.5, "is not a whole number"),
        ("width", "wide", "generator.body.width=wide is not a number"),
        ("width", float("nan"), "is not a number"),
        ("width", None, "generator.body.width=null"),
        ("width", {}, "generator.body.width is no int"),
        ("levels", 99, "is not in [1,8]"),
        ("depth", 3, "does not fit csrgan.networks.spectral.SpectralUNet: got an unexpected keyword argument 'depth'"),
        ("first", {"_target_": "csrgan.networks.unet.UNet", "_partial_": True}, "generator.body.first is no Spectral"),
        ("first", {"_target_": "csrgan.networks.unfolded.Unfolded"}, "missing a required argument"),
        ("_args_", [1], "got an unexpected keyword argument '_args_'"),
        ("_recursive_", False, "got an unexpected keyword argument '_recursive_'"),
        ("_partial_", "yes", "_partial_ is neither true nor false"),
    ],
)
def test_an_argument_of_the_wrong_type_is_reported_before_anything_is_built(key: str, value: Any, said: str) -> None:
    refused(lambda recipe: body(recipe).update({key: value}), said)


def test_nested_objects_have_the_types_their_parents_need() -> None:
    conv = {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 3, "kernel_size": 3}
    refused(lambda recipe: recipe["system"].update(degradation=conv), "system.degradation is no Degradation")
    refused(lambda recipe: recipe["system"].update(rule=conv), "system.rule is no UpdateRule")
    refused(lambda recipe: recipe["system"]["generator"].update(predicted=[1, 2]), "generator.predicted is no")


def test_all_faults_are_reported_at_once() -> None:
    def change(recipe: dict[str, Any]) -> None:
        body(recipe).update(width=-1, levels=0)
        recipe["system"]["discriminator"]["stages"] = "x"

    held, recipe = checkpoints.held(), copy.deepcopy(checkpoints.recipe())
    change(recipe)
    with pytest.raises(UserError) as told:
        build_described(recipe, "system", System, ORIGIN, held["state_dict"])
    for key in ("body.width", "body.levels", "discriminator.stages"):
        assert key in str(told.value)


@pytest.mark.parametrize(
    "name",
    [
        *("csrgan.data.module.Photographs", "csrgan.data.module.Photographs.pictures", "csrgan.data.archive.Archive"),
        *("csrgan.data.shards.Sharded", "csrgan.data.cache.Cache", "csrgan.runs.checkpoint.set_damaged_aside"),
        *("csrgan.training.system.System.init_from", "csrgan.training.replay.keep", "csrgan.training.fit_batches.fit"),
        *("csrgan.losses.perceptual.FeatureDistance.prepare", "torch.nn.parallel.DistributedDataParallel", "torch.nn.utils.prune"),
        *("torch.optim.lr_scheduler.StepLR", "torch.nn.functional.relu", "torch.nn.Module.to", "csrgan.errors.UserError"),
    ],
)
def test_a_file_names_no_more_than_the_yaml_files_do(name: str) -> None:
    refused(lambda recipe: recipe["system"].update(evil={"_target_": name}), f"system.evil._target_={name} may not be built")


def test_a_function_of_a_file_is_never_called() -> None:
    evil = {"_target_": "csrgan.losses.backbones.vgg19", "weights": None}
    refused(lambda recipe: recipe["system"].update(evil=evil), "is a function, and would be called")


@pytest.mark.parametrize("output", ["sigmoid", "logistic"])
def test_an_older_checkpoint_names_what_it_was_trained_with(output: str) -> None:
    held, recipe = checkpoints.held(), copy.deepcopy(checkpoints.recipe())
    recipe["system"]["generator"]["output"]["_target_"] = f"csrgan.networks.output.{output}"
    system = build_described(recipe, "system", System, ORIGIN, held["state_dict"])
    assert system.generator.output.func.__name__ == output  # type: ignore[union-attr]


def test_a_users_package_may_be_named_in_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_outputs.py").write_text("def plain(raw, low, *, gain):\n    return low + gain * raw\n")
    monkeypatch.syspath_prepend(tmp_path)
    held, recipe = checkpoints.held(), copy.deepcopy(checkpoints.recipe())
    recipe["system"]["generator"]["output"] = {"_target_": "my_outputs.plain", "_partial_": True, "gain": 1.0}
    with pytest.raises(UserError, match="If you trust my_outputs, set CSRGAN_ALLOW=my_outputs in the environment"):
        build_described(recipe, "system", System, ORIGIN, held["state_dict"])
    monkeypatch.setenv(announced.ALLOW, "my_outputs")
    build_described(recipe, "system", System, ORIGIN, held["state_dict"])
