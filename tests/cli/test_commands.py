"""Whole commands, as a person types them. Sentences are read from stderr, exit statuses from the process."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from csrgan.cli import main
from csrgan.config.folder import groups
from csrgan.data.crops import Crops

SMOKE = ("trainer=smoke", "logger=none", "trainer.panels=0")


def csrgan(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "OMP_NUM_THREADS": "2", **environment}
    return subprocess.run([sys.executable, "-m", "csrgan", *words], capture_output=True, text=True, env=settings, check=False)


def train(folder: Path, *words: str) -> dict[str, float]:
    assert main(["train", f"run_dir={folder}", *SMOKE, *words]) == 0
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished smoke run with everything on, made by a real process."""
    folder = tmp_path_factory.mktemp("run") / "run"
    done = csrgan("train", "trainer=smoke", f"run_dir={folder}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split("\n")[-1] == str(folder)
    assert "PSNR" in done.stdout
    return folder


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of everything that people have: grey, alpha, 16 bits, turned, odd sizes."""
    folder = tmp_path / "photographs"
    (folder / "deeper").mkdir(parents=True)
    cat = skimage.data.chelsea()[:75, :101]
    Image.fromarray(cat).save(folder / "colour.png")
    Image.fromarray(cat).convert("L").save(folder / "grey.png")
    Image.fromarray(np.dstack([cat, cat[:, :, :1]])).save(folder / "alpha.png")
    cv2.imwrite(str(folder / "deep.png"), cat.astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(cat).save(folder / "turned.jpg", exif=exif)
    Image.fromarray(cat[:1, :1]).save(folder / "deeper" / "ünï côde.png")
    return folder


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    began = time.monotonic()
    done = csrgan("--help")
    assert time.monotonic() - began < 1
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("train", "evaluate", "restore", "degrade", "list"))
    heavy = """
import sys
from csrgan.cli import main
try:
    main(["train", "--help"])
finally:
    print([name for name in ("torch", "lightning", "kornia") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith("[]")


def test_a_run_leaves_everything_in_its_folder(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert {"psnr_low", "psnr_restored", "ssim_low", "ssim_restored", "images_seen", "seconds"} <= set(summary)
    rows = list(csv.DictReader((run / "results.csv").open()))
    assert len(rows) == summary["rows"] == 8
    assert {"image", "blur_std", "scale", "noise_std", "blur_std_predicted", "psnr_low", "psnr_restored"} <= set(rows[0])
    assert np.mean([float(row["psnr_low"]) for row in rows]) == pytest.approx(summary["psnr_low"])
    assert (run / "config.yaml").is_file()
    assert (run / "metrics.csv").is_file()
    assert len(list((run / "panels").glob("*.png"))) == 2
    assert list(run.glob("wandb/offline-run-*/run-*.wandb"))
    assert not list(run.glob("*.log"))
    for name in ("last", "best"):
        torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def test_the_same_seed_gives_the_same_digits(tmp_path: Path) -> None:
    one, same, other = (train(tmp_path / name, f"seed={seed}") for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    for summary in (one, same, other):
        summary.pop("seconds")
    assert one == same
    assert one != other


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = ("trainer.images=48", "trainer.save_every=16", "trainer.validate_every=48")
    whole = train(tmp_path / "whole", *longer)
    read = Crops.__getitem__

    def fails_late(crops: Crops, index: int) -> object:
        if index >= 28:
            raise RuntimeError("the power went")
        return read(crops, index)

    monkeypatch.setattr(Crops, "__getitem__", fails_late)
    with pytest.raises(RuntimeError, match="the power went"):
        train(tmp_path / "cut", *longer)
    monkeypatch.undo()
    assert main(["train", f"resume={tmp_path / 'cut'}"]) == 0
    resumed = json.loads((tmp_path / "cut" / "summary.json").read_text())
    assert {**resumed, "seconds": 0} == {**whole, "seconds": 0}
    weights = [
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for name in ("whole", "cut")
    ]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


CHOICES = {
    group: [file.stem for file in files if (group, file.stem) != ("parameter_head", "none")]
    for group, files in groups()
    if group not in ("data", "evaluation", "experiment", "loss/parameters", "optimizer", "system", "trainer")
}


@pytest.mark.parametrize(
    "words",
    [
        # In the k-th run every group is at its k-th choice, so that each choice of each group is run.
        *([f"{group}={names[k % len(names)]}" for group, names in CHOICES.items()] for k in range(max(map(len, CHOICES.values())))),
        ["parameter_head=none", "loss/parameters=none"],
        ["loss/parameters=none"],
        ["experiment=csrgan_as_coded", "data.crop=32"],
        ["trainer.precision=bf16-mixed", "optimizer.accumulate=2", "optimizer.schedule._target_=csrgan.systems.schedule.constant"],
        ["generator.spectrum_bins=0", "data.workers=1", "loss.parameters.weight=0"],
    ],
    ids=" ".join,
)
def test_every_choice_runs(tmp_path: Path, words: list[str]) -> None:
    summary = train(tmp_path / "run", *SMOKE[:1], "trainer.images=8", "evaluation.grid={blur: 1, scale: 1, noise: 1}", *words)
    assert np.isfinite(summary["psnr_restored"])
    assert ("blur_std_mae" in summary) == (words[0] != "parameter_head=none")


def test_a_sweep_makes_a_folder_a_job(tmp_path: Path) -> None:
    words = ["train", "-m", f"run_dir={tmp_path}/sweep", *SMOKE, "trainer.images=8", "loss.parameters.weight=0,0.1"]
    assert main(words) == 0
    for job, weight in (("0", "0"), ("1", "0.1")):
        assert json.loads((tmp_path / "sweep" / job / "overrides.json").read_text())[-1] == f"loss.parameters.weight={weight}"
        assert (tmp_path / "sweep" / job / "summary.json").is_file()


def test_data_folder_trains_on_ones_own_photographs(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        (tmp_path / name).mkdir()
        Image.fromarray(skimage.data.coffee()[:150, :200]).save(tmp_path / name / "coffee.png")
    train(tmp_path / "run", "data=folder", f"data.train={tmp_path}/train", f"data.valid={tmp_path}/valid")
    assert {row["image"] for row in csv.DictReader((tmp_path / "run" / "results.csv").open())} == {"coffee.png"}


def test_evaluate_gives_the_rows_of_the_run_again(run: Path, tmp_path: Path) -> None:
    words = [
        "evaluate",
        f"checkpoint={run}",
        f"run_dir={tmp_path}/e",
        "evaluation.crop=64",
        "evaluation.grid={blur: 2, scale: 2, noise: 1}",
    ]
    assert main(words) == 0
    scored, before = (list(csv.DictReader((folder / "results.csv").open())) for folder in (tmp_path / "e", run))
    for row, old in zip(scored, before, strict=True):
        assert row["image"] == old["image"]
        assert [float(row[key]) for key in row if key != "image"] == pytest.approx(
            [float(old[key]) for key in row if key != "image"], abs=1e-3
        )
    assert (
        main(["evaluate", f"checkpoint={run}", f"run_dir={tmp_path}/f", "degradation=wide", "evaluation.crop=64", "panels=0"]) == 0
    )
    assert max(float(row["blur_std"]) for row in csv.DictReader((tmp_path / "f" / "results.csv").open())) > 40


def test_restore_keeps_names_sizes_and_kinds(run: Path, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "restored"
    assert main(["restore", f"checkpoint={run / 'checkpoints' / 'best.ckpt'}", f"source={photographs}", f"destination={out}"]) == 0
    made = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    assert made == ["alpha.png", "colour.png", "deep.png", "deeper/ünï côde.png", "grey.png", "parameters.csv", "turned.jpg"]
    assert Image.open(out / "colour.png").size == (101, 75)
    assert Image.open(out / "turned.jpg").size == (75, 101)
    assert Image.open(out / "grey.png").mode == "L"
    assert Image.open(out / "alpha.png").mode == "RGBA"
    assert cv2.imread(str(out / "deep.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    rows = list(csv.DictReader((out / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 6
    assert set(rows[0]) == {"file", "blur_std", "scale", "noise_std"}


def test_restore_enlarges(run: Path, photographs: Path, tmp_path: Path) -> None:
    words = ["restore", f"checkpoint={run}", f"source={photographs / 'colour.png'}", f"destination={tmp_path}/out", "enlarge=2.0"]
    assert main(words) == 0
    assert Image.open(tmp_path / "out" / "colour.png").size == (202, 150)


def test_restore_skips_a_broken_picture_and_says_so(run: Path, photographs: Path, tmp_path: Path) -> None:
    (photographs / "broken.png").write_text("no picture")
    done = csrgan("restore", f"checkpoint={run}", f"source={photographs}", f"destination={tmp_path}/out")
    assert done.returncode == 1
    assert "broken.png" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list(csv.DictReader((tmp_path / "out" / "parameters.csv").open(encoding="utf-8")))) == 6


def test_degrade_is_the_same_whatever_else_is_there(photographs: Path, tmp_path: Path) -> None:
    words = ("degrade", "seed=3", "per_image=2", "format=npy")
    assert main([*words, f"source={photographs}", f"destination={tmp_path}/all"]) == 0
    assert main([*words, f"source={photographs / 'colour.png'}", f"destination={tmp_path}/one"]) == 0
    for version in range(2):
        a, b = (np.load(tmp_path / which / "low" / f"colour_{version}.npy") for which in ("all", "one"))
        assert a.dtype == np.float32
        assert np.array_equal(a, b)
    rows = list(csv.DictReader((tmp_path / "all" / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 12
    assert set(rows[0]) == {"file", "blur_std", "blur_std_effective", "scale", "noise_std"}
    assert (tmp_path / "all" / "sheet.png").is_file()


def test_bench_measures_every_method_and_the_training_step(tmp_path: Path) -> None:
    small = [
        "sizes=[32]",
        "max_stds=[2.0]",
        "batch=2",
        "repeats=1",
        "steps=2",
        "data.crop=32",
        "data.batch_size=2",
        "trainer.images=16",
    ]
    assert main(["bench", *small, f"file={tmp_path}/bench.json"]) == 0
    told = json.loads((tmp_path / "bench.json").read_text())
    assert [row["method"] for row in told["rows"]] == ["csrgan", "Kornia", "OpenCV"]
    assert all(row["images_per_second"] > 0 for row in told["rows"])
    assert 0 < told["training_step"]["share"] < 1


FAULTS = [
    (["trian"], "Did you mean train?"),
    (["train", "trainer.imagse=5"], "trainer has no imagse. Its choices:"),
    (["train", "trainer.imagse=5"], "Did you mean images?"),
    (
        ["train", "output=sigmiod"],
        "output has no sigmiod. Its choices: clamp, minmax, minmax_batch, residual, sigmoid, tanh. Did you mean sigmoid?",
    ),
    (["train", "sede=1"], "Did you mean seed?"),
    (["train", "+colour=red"], "+colour is not a setting"),
    (["train", "trainer.images=many"], "trainer.images=many is not a number."),
    (["train", "trainer.images=1.5"], "trainer.images=1.5 is not a whole number."),
    (["train", "trainer.compile=7"], "trainer.compile=7 is neither true nor false."),
    (["train", "output=sigmiod", "loss/image=l3"], "loss/image has no l3."),
    (["train", "-m", "output=sigmoid,tahn"], "Did you mean tanh?"),
    (["train", "bare"], "bare is no setting: a setting is given as key=value."),
    (["train", "seed=-1"], "seed=-1 is below 0"),
    (["train", "generator.width=0"], "generator.width=0 is below 1"),
    (["train", "optimizer.generator.lr=-1"], "optimizer.generator.lr=-1 is below 0"),
    (["train", "evaluation.grid.blur=0"], "evaluation.grid.blur=0 is below 1"),
    (["train", "trainer.precision=16"], "trainer.precision has no 16. Its choices: 32-true, bf16-mixed."),
    (["train", "loss.adversarial.generator=3"], "loss.adversarial.generator holds several settings"),
    (["train", "degradation.blur.low=60"], "degradation.blur.low=60"),
    (["train", "data=folder"], "data.train is empty"),
    (["train", "data=folder", "data.train={tmp}/absent", "data.valid={tmp}"], "is not a folder"),
    (["train", "data=folder", "data.train={tmp}", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.crop=9999"], "data.crop=9999 is larger than"),
    (["train", "resume={tmp}"], "is not the folder of a run"),
    (["train", "run_dir={tmp}/file/inside"], "file"),
    (["evaluate"], "checkpoint is needed"),
    (["evaluate", "checkpoint={tmp}/file"], "no checkpoint that can be read"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}", "destination={tmp}/out"], "holds no picture"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}/absent", "destination={tmp}/out"], "does not exist"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out"], "is no picture"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out", "format=jpg"], "format has no jpg"),
    (["list", "group=outputs"], "Did you mean output?"),
]


@pytest.mark.parametrize(("words", "said"), FAULTS, ids=[" ".join(words) for words, _ in FAULTS])
def test_wrong_input_gets_one_sentence_and_status_2(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("some text")
    smoke = [*SMOKE] if words[0] == "train" else []
    assert main([words[0], *smoke, *(word.format(tmp=tmp_path) for word in words[1:])]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert all(line.startswith("csrgan") for line in told.strip().split("\n"))


def test_a_real_process_tells_it_in_one_line(tmp_path: Path) -> None:
    done = csrgan("train", "trainer=smoke", "data.batch_size=0", f"run_dir={tmp_path}/r")
    assert done.returncode == 2
    assert done.stderr.strip() == "csrgan train: data.batch_size=0 is below 1, the least that it can be."
