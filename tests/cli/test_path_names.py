"""Folders and files of any name, through whole commands: each ends well, and what it writes lies exactly where it was asked for."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import skimage.data
import yaml
from commands import SMOKE
from names import CHOSEN, drawn
from PIL import Image

from csrgan.cli import main

EVALUATED = ("data=folder", "evaluation.crop=32", "evaluation.grid={blur: 1, scale: 1, noise: 1}")
TRAINED = (*SMOKE, *EVALUATED, "data.crop=32", "trainer.images=8", "trainer.calibration_images=0")
NASTY = 'it\'s (1), [a] {b}=#;%20*?\\ ${HOME} "q" Ünï~日本 '


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def photograph(folder: Path, name: str) -> Path:
    """A folder of one name, with a photograph of the same name in it."""
    (folder / name).mkdir(parents=True)
    Image.fromarray(skimage.data.chelsea()[:64, :64]).save(folder / name / f"{name}.png")
    return folder / name


def try_all(at: Path, name: str) -> None:
    """Train, resume, evaluate, restore and degrade, everything in folders of this name."""
    photos = photograph(at / "photos", name)
    places = [at / command / name for command in ("train", "evaluate", "restore", "degrade", "cache")]
    run, evaluated, restored, degraded, cache = places
    for place in places:
        place.parent.mkdir()
        if "${" in name:  # is an interpolation, where nothing is called so
            place.mkdir()
    data = [f"data.valid={photos}", f"data.cache={cache}"]
    assert main(["train", f"run_dir={run}", *TRAINED, f"data.train={photos}", *data]) == 0
    assert main(["train", f"resume={run}", "trainer.images=12"]) == 0
    assert json.loads((run / "summary.json").read_text())["images_seen"] == 12
    assert main(["evaluate", f"checkpoint={run}", f"run_dir={evaluated}", *EVALUATED, *data, "panels=0"]) == 0
    assert main(["restore", f"checkpoint={run}", f"source={photos}/{name}.png", f"destination={restored}"]) == 0
    assert main(["degrade", f"source={photos}", f"destination={degraded}"]) == 0
    assert all(written(place.parent) == {name} for place in places)
    assert {"results.csv", "summary.json", "config.yaml"} <= written(evaluated)
    assert f"{name}.png" in written(restored)
    assert written(degraded / "sharp") == {f"{name}_0.png"}


def test_a_name_of_everything_goes_through_all_commands(tmp_path: Path) -> None:
    try_all(tmp_path, NASTY)


@pytest.mark.long
@pytest.mark.parametrize("name", [*CHOSEN, *drawn(100)])
def test_any_name_goes_through_all_commands(name: str, tmp_path: Path) -> None:
    try_all(tmp_path, name)


@pytest.mark.long
def test_a_sweep_runs_over_folders_of_any_name(tmp_path: Path) -> None:
    """Its jobs are started with words, and told with words that can be used again; so is what evaluates it."""
    folders = [photograph(tmp_path / "photos", name) for name in ("a, (1)", NASTY)]
    quoted = ["'{}'".format(str(folder).replace("'", "\\'").replace("${", "\\${")) for folder in folders]
    run, scored, cache = tmp_path / "runs" / "b=${x}, c", tmp_path / "scored, x", f"data.cache={tmp_path}/cache (1)"
    run.mkdir(parents=True)
    words = ["-m", f"data.valid={','.join(quoted)}", f"run_dir={run}", *TRAINED, f"data.train={folders[1]}", cache]
    assert main(["train", *words]) == 0
    for index, folder in enumerate(folders):
        job = json.loads((run / str(index) / "job.json").read_text())
        assert job["status"] == "complete"
        assert main([*shlex.split(job["command"])[1:], f"run_dir={tmp_path}/again, {index}"]) == 0
        for held in (run / str(index), tmp_path / f"again, {index}"):
            assert yaml.safe_load((held / "config.yaml").read_text())["data"]["valid"] == str(folder)
    assert (
        main(["evaluate", f"checkpoint={run}", f"run_dir={scored}", *EVALUATED, f"data.valid={folders[0]}", cache, "panels=0"]) == 0
    )
    assert main(["report", str(scored)]) == 0
    assert (scored / "report.html").is_file()
