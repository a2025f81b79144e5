"""Checkpoints and run folders of csrgan 0.1 still mean the same: they restore to the same numbers, and the run goes on."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

import csrgan
from csrgan.cli import main
from csrgan.config import renamed
from csrgan.config.location import conf
from csrgan.config.targets import check_targets
from csrgan.degradation.bounds import POSSIBLE

HERE = Path(__file__).parent
NAMES = ("csrgan.ckpt", "unfolded.ckpt", "srgan.ckpt", "ikc.ckpt", "dan.ckpt", "srmd_run")
# The last digits of a sum in float32 follow from the order in which a CPU's instructions add, which differs between CPUs of one
# instruction set, too: two of them differed by up to 7e-7. A step of an 8-bit picture is 4e-3.
TOLERANCE = 1e-5


def low() -> Tensor:
    return torch.from_numpy(np.load(HERE / "low.npy")).permute(2, 0, 1)[None].float() / 255


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_of_the_first_release_restores_to_the_same_numbers(name: str) -> None:
    expected = {key: torch.from_numpy(value) for key, value in np.load(HERE / "expected.npz").items()}
    result = csrgan.load(HERE / name)(low())
    stem = name.partition(".")[0]
    interval = result.interval or (None, None)
    found = {"image": result.image, "theta": result.parameters, "least": interval[0], "greatest": interval[1]}
    given = {key: value if isinstance(value, Tensor) else stacked(value) for key, value in found.items() if value is not None}
    assert {f"{stem}.{key}" for key in given} == {key for key in expected if key.startswith(f"{stem}.")}
    for key, value in given.items():
        before = expected[f"{stem}.{key}"]
        assert_same(value, before if key == "image" else possible(before, list(found[key].named())))


def possible(theta: Tensor, names: list[str]) -> Tensor:
    """Return what today's release shows of a prediction: nothing impossible, such as a scale below 1."""
    limits = [POSSIBLE[name] for name in names]
    return torch.stack([theta[:, k].clamp(*ends) for k, ends in enumerate(limits)], dim=1)


def stacked(theta: Any) -> Tensor:
    return torch.stack(list(theta.named().values()), dim=1)


def test_a_run_of_the_first_release_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    shutil.copytree(HERE / "srmd_run", run)
    assert main(["train", f"resume={run}", "trainer.images=16", "trainer.validate_every=16"]) == 0, capsys.readouterr().err
    said = capsys.readouterr()
    assert "from image 8 on: trainer.images 8 -> 16" in said.out
    assert "from image 8 on: trainer.validate_every 8 -> 16" in said.out
    changed = {line for line in said.out.splitlines() if line.startswith("from image")}
    assert len(changed) == 2, changed  # a new name of an old setting is no change of it
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert content["csrgan"]["images_seen"] == 16
    assert json.loads((run / "summary.json").read_text())["rows"] == 1


def test_a_batch_that_the_first_release_kept_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = torch.load(HERE / "srgan.ckpt", weights_only=True)
    sharp = torch.rand(2, 3, 32, 32)
    sharp[0, 0, 0, 0] = torch.nan
    theta = {"blur_std": torch.ones(2), "scale": torch.full((2,), 2.0), "noise_std": torch.zeros(2)}
    batch = {"sharp": sharp, "low": torch.rand(2, 3, 16, 16), "parameters": theta, "names": ["a.png", "b.png"]}
    refused = {"player": "generator", "terms": ["image"], "samples": [0]}
    kept = {"batch": batch, "state_dict": content["state_dict"], "images_seen": 8, "refused": refused}
    torch.save(kept | {"recipe": content["csrgan"]["recipe"]}, tmp_path / "batch.pt")
    assert main(["replay", f"file={tmp_path / 'batch.pt'}"]) == 0, capsys.readouterr().err
    assert "generator: image not finite; samples of the batch: 0 (a.png)" in capsys.readouterr().out


def names() -> dict[str, Any]:
    return json.loads((HERE / "names.json").read_text())


def test_every_class_and_function_that_a_file_of_the_first_release_may_name_is_there_and_takes_what_it_took() -> None:
    for target, arguments in names()["targets"].items():
        new = renamed.rename_tree({"_target_": target} | dict.fromkeys(arguments))
        described = target.startswith(("csrgan.degradation", "csrgan.losses", "csrgan.networks", "csrgan.systems"))
        check_targets(new | {"_partial_": True}, stranger=described)
        takes = inspect.signature(resolve_name(new["_target_"])).parameters
        assert len(new) == len(arguments) + 1 and new.keys() - {"_target_"} <= takes.keys(), (target, set(new) - set(takes))


def test_every_choice_and_every_setting_of_the_first_release_is_there() -> None:
    for file, keys in names()["files"].items():
        group, _, choice = file.rpartition("/")
        today = conf() / group / f"{renamed.CHOICES.get(group, {}).get(choice, choice)}.yaml"
        content = OmegaConf.to_container(OmegaConf.load(today), resolve=False)
        package = "" if today.read_text().startswith("# @package _global_") or "finally" in group else group.replace("/", ".")
        for key in keys:
            place = renamed.new_key(f"{package}.{key}".lstrip("."))
            inside = place.removeprefix(f"{package}." if package else "")
            assert _has(content, inside), f"{file}: {key} is {place} today, which {today} does not set"


def _has(held: Any, place: str) -> bool:
    """Whether settings have this key."""
    for name in place.split("."):
        if not isinstance(held, dict) or name not in held:
            return False
        held = held[name]
    return True
