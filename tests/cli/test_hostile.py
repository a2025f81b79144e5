"""Files from strangers: none runs anything, and each is refused in one sentence with status 2."""

from __future__ import annotations

import os
import pickle
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import checkpoints
import numpy as np
import pytest
import torch
from composed import SMALL, composed
from PIL import Image
from rich.console import Console

from csrgan.cli import main
from csrgan.config import announced
from csrgan.config.build import build
from csrgan.data.cache import Cache
from csrgan.data.sources import in_folder
from csrgan.degradation.kernel_priors import FreeForm
from csrgan.errors import UserError


class Bomb:
    """Creates a file where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, list[str]]:
    """The commands that take a checkpoint, with everything else that they need."""
    Image.new("RGB", (20, 16), "red").save(tmp_path / "a.png")
    return {
        "restore": ["restore", f"source={tmp_path}/a.png", f"destination={tmp_path}/out"],
        "evaluate": ["evaluate", f"run_dir={tmp_path}/run", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "panels=0"],
    }


def refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    sentence = capsys.readouterr().err.strip()
    assert said in sentence
    assert sentence.startswith(f"csrgan {words[0]}: ")
    assert "\n" not in sentence


@pytest.mark.parametrize("command", ["restore", "evaluate"])
@pytest.mark.parametrize("place", ["whole", "weights", "recipe", "plain pickle"])
def test_a_pickle_bomb_does_not_go_off(
    command: str, place: str, commands: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker, file = tmp_path / "marker", tmp_path / "bomb.ckpt"
    bomb, good = Bomb(marker), checkpoints.held()
    if place == "plain pickle":
        file.write_bytes(pickle.dumps(bomb))
    else:
        recipe = good["csrgan"] | {"recipe": bomb}
        torch.save({"whole": bomb, "weights": good | {"state_dict": bomb}, "recipe": good | {"csrgan": recipe}}[place], file)
    refused([*commands[command], f"checkpoint={file}"], "is not a readable checkpoint", capsys)
    assert not marker.exists()
    torch.load(file, weights_only=False) if place != "plain pickle" else pickle.loads(file.read_bytes())
    assert marker.exists()  # it would have gone off


@pytest.mark.parametrize("form", ["npy", "pickle"])
def test_a_pickled_kernel_file_does_not_go_off(form: str, tmp_path: Path) -> None:
    marker, file = tmp_path / "marker", tmp_path / "kernels.npy"
    if form == "npy":
        np.save(file, np.array([Bomb(marker)], dtype=object), allow_pickle=True)
    else:
        file.write_bytes(pickle.dumps(Bomb(marker)))
    with pytest.raises(UserError, match=r"degradation\.kernel\.file=.* is not a readable \.npy array"):
        FreeForm(file=str(file)).kernels  # noqa: B018
    assert not marker.exists()


def test_a_pickle_in_the_cache_does_not_go_off(tmp_path: Path) -> None:
    """Nor is an array of another shape taken for the photograph."""
    marker = tmp_path / "marker"
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "in" / "a.png")
    found = Cache(tmp_path / "cache", 10).prepare(in_folder(tmp_path / "in"), Console(quiet=True))
    (decoded,) = found.decoded
    assert decoded
    for array in (np.array([Bomb(marker)], dtype=object), np.zeros((40, 30, 3), np.uint8), np.zeros((30, 40, 3), np.int8)):
        np.save(decoded, array, allow_pickle=True)
        assert np.array_equal(found.pixels(0), np.full((30, 40, 3), (255, 0, 0)))
    assert not marker.exists()


# Programs, and ways to them through what a module has imported, through a class, and through what is resolved later.
HOSTILE = [
    {"_target_": "os.system", "command": "touch {marker}"},
    {"_target_": "builtins.eval", "_args_": ["open('{marker}', 'w')"]},
    {"_target_": "csrgan.config.folder.Path", "_args_": ["{marker}"]},
    {"_target_": "csrgan.data.cache.os.system", "command": "touch {marker}"},
    {"_target_": "torch.nn.functional.torch.load", "f": "{marker}", "weights_only": False},
    {"_target_": "csrgan.cli.main", "arguments": ["degrade", "destination={marker}"]},
    {"_target_": "csrgan.losses.../os.system"},
    {"_target_": ["os.system"]},
    {"list": [{"deeper": {"_target_": "os.system", "command": "touch {marker}"}}]},
    {"later": "${{oc.create:{{_target_: os.system, command: 'touch {marker}'}}}}"},
]


def filled(node: Any, marker: Path) -> Any:
    if isinstance(node, str):
        return node.format(marker=marker)
    if isinstance(node, dict):
        return {key: filled(value, marker) for key, value in node.items()}
    return [filled(value, marker) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize("place", ["system", "generator", "degradation"])
@pytest.mark.parametrize("node", HOSTILE, ids=lambda node: str(node)[:60])
def test_a_checkpoint_builds_no_more_than_networks(
    node: Any, place: str, commands: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker, recipe = tmp_path / "marker", checkpoints.recipe()
    if place == "generator":
        recipe["system"]["generator"]["condition"] = filled(node, marker)
    else:
        recipe[place] = filled(node, marker)
    file = checkpoints.save(tmp_path / "a.ckpt", recipe)
    refused(
        [*commands["restore"], f"checkpoint={file}"], f"checkpoint={file}: recipe.{place.replace('generator', 'system')}", capsys
    )
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


def test_what_the_user_names_is_held_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marker = tmp_path / "marker"
    words = ["degrade", "source=.", f"destination={tmp_path}/out"]
    node = f"{{_target_: os.system, command: 'touch {marker}'}}"
    refused([*words, f"degradation.kernel={node}"], "degradation.kernel._target_=os.system may not be built", capsys)
    assert not marker.exists()


def test_ones_own_package_is_allowed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_losses.py").write_text("from os import system\n\n\ndef nothing():\n    return 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="If you trust my_losses, set CSRGAN_ALLOW=my_losses in the environment"):
        build({"_target_": "my_losses.nothing"})
    monkeypatch.setenv(announced.ALLOW, "others, my_losses")
    assert build({"_target_": "my_losses.nothing"}) == 7
    for name in ("my_losses.system", "my_losses_too.nothing", "os.system"):
        with pytest.raises(UserError, match="may not be built"):
            build({"_target_": name})


def test_a_recipe_that_describes_no_system_is_refused(
    commands: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = checkpoints.recipe()
    for system, said in (
        (recipe["degradation"], "csrgan.degradation.augmentation.Degradation is no system"),
        (recipe["system"] | {"_partial_": True}, "csrgan.training.algorithms.csrgan.CSRGAN is no system"),
        (3, "recipe.system describes nothing that can be built"),
        ({}, "recipe.system describes nothing that can be built"),
        ({"_target_": 3}, "_target_=3 may not be built"),
    ):
        file = checkpoints.save(tmp_path / "a.ckpt", recipe | {"system": system})
        refused([*commands["restore"], f"checkpoint={file}"], said, capsys)
    file = checkpoints.save(tmp_path / "a.ckpt", {"system": recipe["system"]})
    refused([*commands["restore"], f"checkpoint={file}"], "recipe.degradation describes nothing that can be built", capsys)


@pytest.mark.parametrize("calibration", [3, [3], [[1024, 1, 1]], [[1024, 1, 1, -1]], [[1024, 1, 1, float("nan")]], [["a"] * 4]])
@pytest.mark.parametrize("place", ["calibration", "loo_calibration"])
def test_a_calibration_that_is_none_is_refused(
    place: str, calibration: Any, commands: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = checkpoints.held("csrgan", "loss/parameters=nll")
    given = {"calibration": calibration} if place == "calibration" else {"loo_calibration": {"a.png": calibration}}
    torch.save(known | {"csrgan": known["csrgan"] | given}, tmp_path / "a.ckpt")
    refused([*commands["restore"], f"checkpoint={tmp_path}/a.ckpt"], "does not fit the network that it describes", capsys)


def test_what_is_built_is_named_by_its_place() -> None:
    settings = composed("output=tanh")
    settings["system"]["generator"]["output"]["_target_"] = "shutil.rmtree"
    settings["system"]["discriminator"]["_target_"] = "os.remove"
    with pytest.raises(UserError) as told:
        build(settings["system"], "system")
    places = [line.partition("=")[0] for line in str(told.value).split("\n")]
    assert places == ["output._target_", "discriminator._target_"]  # as the user gives them


@pytest.fixture
def requests() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server on loopback, and the first line of each request."""
    seen: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            seen.append(self.rfile.readline())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()


EVILS = ("fetches shards", "downloads an archive", "empties a folder")


@pytest.mark.parametrize(("command", "evil"), [*(("restore", evil) for evil in EVILS), ("publish", EVILS[0]), ("train", EVILS[2])])
def test_a_checkpoint_fetches_writes_and_deletes_nothing(
    evil: str, command: str, commands: dict[str, list[str]], requests: tuple[str, list[bytes]], tmp_path: Path, capfd: Any
) -> None:
    """The data room does all three, for those who name it themselves."""
    url, seen = requests
    folder, recipe = tmp_path / "folder", checkpoints.recipe()
    (folder / "pictures" / "holiday").mkdir(parents=True)
    (folder / "pictures" / "holiday" / "IMG_1.webp").write_bytes(b"of the user")
    archive = {"_target_": "csrgan.data.archive.Archive", "url": f"{url}/a.zip", "bytes": 1, "sha256": "0" * 64}
    archive |= {"folder": "unpacked", "notice": "", "retries": 0}
    settings = recipe["data"] | {"cache": str(folder), "cache_mb": 2.0}
    settings |= {"train": archive} if evil == "downloads an archive" else {}
    node: dict[str, Any] = {"_target_": "csrgan.data.module.Photographs.pictures", "_args_": [settings, "data.train"]}
    recipe["system"]["evil"] = node if evil != EVILS[0] else {"_target_": "csrgan.data.shards.Sharded", "url": url}
    file = checkpoints.save(tmp_path / "a.ckpt", recipe)
    words = {
        "restore": [*commands["restore"], f"checkpoint={file}"],
        "publish": ["publish", f"checkpoint={file}", f"destination={tmp_path}/out"],
        "train": ["train", f"run_dir={tmp_path}/run", *SMALL, "logger=none", f"init_from={file}"],
    }
    assert main(words[command]) == 2
    assert f"recipe.system.evil._target_={recipe['system']['evil']['_target_']} may not be built" in capfd.readouterr().err
    assert not seen
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["IMG_1.webp"]
