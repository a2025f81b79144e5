"""Old names in a command, in a user's files and in what a checkpoint describes.

The table is given entries whose new names are today's, so that it is read as it will be, whatever it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import recipe, save

from csrgan.api.loading import trained
from csrgan.cli import main
from csrgan.config import old_names, renamed, search
from csrgan.config.compose import composed
from csrgan.config.resume import original_words
from csrgan.config.targets import check_targets
from csrgan.errors import UserError
from csrgan.runs.checkpoint import read

TABLE = {
    "KEYS": {
        **{"trainer.budget": "trainer.images", "data.side": "data.crop", "start": "seed"},
        "optimizer.rule.batches": "optimizer.rule.accumulate",
    },
    "CHOICES": {"output": {"cut": "clamp", "hyperbolic": "tanh"}},
    "VALUES": {"health.drift.action": {"end": "stop"}},
    "TARGETS": {"csrgan.old.cut": "csrgan.networks.output.clamp", "csrgan.old.U": "csrgan.networks.unet.UNet"},
    "ARGUMENTS": {"csrgan.networks.unet.UNet": {"depth": "levels"}, "csrgan.data.module.Photographs": {"side": "crop"}},
    "OWN": {"seen_images": "images_seen"},
    "WEIGHTS": {"gen.": "generator."},
}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, entries in TABLE.items():
        for old, new in entries.items():
            monkeypatch.setitem(getattr(renamed, name), old, new)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder of one's own choices that a command names."""
    with search.search_config_dirs([f"--config-dir={tmp_path}"]):
        yield tmp_path


@pytest.mark.parametrize(
    ("word", "today"),
    [
        ("trainer.budget=8", "trainer.images=8"),
        ("+data.side=64", "+data.crop=64"),
        ("++data.side=64,96", "++data.crop=64,96"),
        ("~data.side", "~data.crop"),
        ("start=1", "seed=1"),
        ("data.start=1", "data.start=1"),
        ("optimizer.rule.batches=2", "optimizer.rule.accumulate=2"),
        ("output=cut", "output=clamp"),
        ("output=cut,tanh,hyperbolic", "output=clamp,tanh,tanh"),
        ("output='cut'", "output='clamp'"),
        ("output=choice(cut,minmax)", "output=choice(clamp,minmax)"),
        ("output@generator.first=cut", "output@generator.first=clamp"),
        ("title=cut", "title=cut"),
        ("source=runs/output=cut", "source=runs/output=cut"),
        ("health.drift.action=end,log", "health.drift.action=stop,log"),
        ("health.collapse.action=end", "health.collapse.action=end"),
        ("health={drift: {limit: 0.1, action: end}}", "health={drift:{limit:0.1,action:stop}}"),
        ("trainer={budget: 8, devices: 1}", "trainer={images:8,devices:1}"),
        ("data.window=${data.side}", "data.window=${data.crop}"),
        ("optimizer.schedule._target_=csrgan.old.cut", "optimizer.schedule._target_=csrgan.networks.output.clamp"),
        ("+hydra.sweeper.params.data.side=64,96", "+hydra.sweeper.params.data.crop=64,96"),
        ("hydra.sweeper.params={output: 'cut,tanh', start: 1}", "hydra.sweeper.params={output:'clamp,tanh',seed:1}"),
        ("runs/data.side", "runs/data.side"),
        ("--cfg=job", "--cfg=job"),
        ("", ""),
    ],
)
def test_a_word_gets_the_new_names_with_one_warning_per_old_name(word: str, today: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert old_names.translate([word, word], "train") == [today, today]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(set(lines)) and bool(lines) == (word.replace(" ", "") != today)
    assert all(line.startswith("csrgan train: ") and " is now called " in line for line in lines)
    assert old_names.translate_silently([word]) == [today]
    assert capsys.readouterr().err == ""
    assert old_names.translate_silently([today]) == [today]


def test_a_command_with_old_names_warns_and_works(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "trainer.budget=80", "trainer.budget=96", "output=cut", "health.drift.action=end", "--cfg=job"]) == 0
    said = capfd.readouterr()
    assert "  images: 96\n" in said.out and "csrgan.networks.output.clamp" in said.out and "action: stop" in said.out
    assert said.err.splitlines() == [
        "csrgan train: trainer.budget is now called trainer.images; the old name works until 0.3.",
        "csrgan train: output=cut is now called output=clamp; the old name works until 0.3.",
        "csrgan train: health.drift.action=end is now called health.drift.action=stop; the old name works until 0.3.",
    ]


def test_an_impossible_value_of_an_old_key_is_reported_with_the_new_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "data.side=-1"]) == 2
    assert "csrgan train: data.crop=-1 is below 1" in capsys.readouterr().err


def test_a_users_file_is_read_with_the_new_names(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        "experiment/mine": "# @package _global_\ndefaults:\n  - override /output: cut\n  - override /data: mine\n"
        "trainer: {budget: 32}\nhealth: {drift: {action: end}}\n",
        "data/mine": "defaults: [sample, _self_]\nside: 48\nwindow: ${data.side}\n",
    }.items():
        (own / name).parent.mkdir(exist_ok=True)
        (own / f"{name}.yaml").write_text(text)
    old_names.translate([], "train")
    settings = composed("train", ["experiment=mine"])
    assert settings["output"]["_target_"] == "csrgan.networks.output.clamp"
    assert settings["trainer"]["images"] == 32 and settings["data"]["crop"] == 48 == settings["data"]["window"]
    assert settings["health"]["drift"]["action"] == "stop"
    lines = capsys.readouterr().err.splitlines()
    place = f" in {own / 'experiment/mine.yaml'} is now called "
    assert f"csrgan train: trainer.budget{place}trainer.images; the old name works until 0.3." in lines
    assert f"csrgan train: output=cut{place}output=clamp; the old name works until 0.3." in lines
    assert len(lines) == len(set(lines)) == 4


def test_a_sweep_in_a_users_file_gets_the_new_names(own: Path) -> None:
    file = own / "sweep" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(
        "# @package _global_\nhydra:\n  sweeper:\n    params:\n      output: cut,tanh\n      data.side: 64,96\n      seed: 1\n"
    )
    held = old_names.OwnFiles("mine", f"csrgan://{own}").load_config("sweep/mine").config
    assert held["hydra"]["sweeper"]["params"] == {"output": "clamp,tanh", "data.crop": "64,96", "seed": 1}


def test_a_users_part_may_use_an_old_name_of_csrgans(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"data/mine": "_target_: mine.Data\nside: 3\n", "output/cut": "_target_: mine.cut\n"}.items():
        (own / name).parent.mkdir()
        (own / f"{name}.yaml").write_text(text)
    words = ["data=mine", "data.side=64", "output=cut", "~data.side"]
    assert old_names.translate(words, "train") == words
    assert old_names.OwnFiles("mine", f"csrgan://{own}").load_config("data/mine").config["side"] == 3
    assert capsys.readouterr().err == ""


def test_the_overrides_of_an_older_run_are_read_silently(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "overrides.json").write_text(json.dumps(["trainer.budget=8", "output=cut"]))
    assert original_words(tmp_path) == ["trainer.images=8", "output=clamp"]
    assert capsys.readouterr().err == ""


def test_a_recipe_gets_the_new_names_and_is_then_checked() -> None:
    body = {"_target_": "csrgan.old.U", "depth": 2, "width": 8}
    new = renamed.rename_tree({"body": body, "output": {"_target_": "csrgan.old.cut", "_partial_": True}})
    assert new["body"] == {"_target_": "csrgan.networks.unet.UNet", "levels": 2, "width": 8}
    check_targets(new, stranger=True)
    assert body["depth"] == 2  # a copy


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "os.system", "command": "true"},
        {"_target_": "csrgan.old.cut"},  # a function, which a file may not call by an old name either
        {"_target_": "csrgan.old.U.__init__"},
        {"_target_": "csrgan.old.other"},
        {"_target_": ["csrgan.old.U"]},
        {"_target_": "csrgan.old.U", "depth": {"_target_": "os.system"}},
    ],
)
def test_an_old_name_allows_nothing_new(node: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        check_targets(renamed.rename_tree({"system": node}), stranger=True)


def test_an_argument_by_both_names_stays_both() -> None:
    node = {"_target_": "csrgan.old.U", "depth": 2, "levels": 3}
    assert renamed.rename_tree(node) == {**node, "_target_": "csrgan.networks.unet.UNet"}
    foreign = {"_target_": "mine.U", "depth": 2}
    assert renamed.rename_tree(foreign) == foreign


def test_a_checkpoint_with_old_names_is_the_same_system(tmp_path: Path) -> None:
    words = recipe()
    body = words["system"]["generator"]["body"]
    words["data"]["side"] = words["data"].pop("crop")
    words["system"]["generator"]["output"] = {"_target_": "csrgan.old.cut", "_partial_": True}
    held = torch.load(save(tmp_path / "new.ckpt"), weights_only=True)
    held["csrgan"] = {**held["csrgan"], "recipe": words, "seen_images": 7}
    del held["csrgan"]["images_seen"]
    held["state_dict"] = {
        f"gen.{name[10:]}" if name.startswith("generator.") else name: w for name, w in held["state_dict"].items()
    }
    torch.save(held, tmp_path / "old.ckpt")
    new, old = trained(str(tmp_path / "new.ckpt"), "cpu")[0], trained(str(tmp_path / "old.ckpt"), "cpu")[0]
    assert old.images_seen == 7 and old.generator.output.func.__name__ == "clamp" and body["width"] == 8
    assert all(torch.equal(weight, new.state_dict()[name]) for name, weight in old.state_dict().items())
    assert read(tmp_path / "old.ckpt")["csrgan"]["recipe"]["data"]["crop"] == recipe()["data"]["crop"]
