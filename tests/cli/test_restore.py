"""csrgan restore over a folder: no picture ends the others, and nothing is shown that is no picture."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from composed import composed
from folders import NAMES, rows, save
from measured import tell
from PIL import Image
from systems import made

import csrgan
from csrgan.api.model import untrained_scale
from csrgan.cli import main
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.data.picture import Picture
from csrgan.errors import UserError
from csrgan.restorers.bicubic import Bicubic
from csrgan.restorers.learned import LearnedRestorer


def test_one_bad_picture_does_not_end_the_others(
    restoring: list[str], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Formats that cannot hold S, found before the network is asked; a file that cannot be written; memory; a network's NaN."""
    save(photos / "long.webp", shape=(1, 16383))
    save(photos / "long.jpg", shape=(1, 65500))
    save(photos / "nan.png", shape=(9, 9))
    save(photos / "large.png", shape=(8, 8))
    save(photos / "full.png", shape=(7, 7))
    seen = []
    plain, write = LearnedRestorer.restore, picture.write

    def restored(self: LearnedRestorer, low: torch.Tensor) -> object:
        seen.append(tuple(low.shape[-2:]))
        if low.shape[-2:] == (16, 16):
            torch.empty(2**62, dtype=torch.uint8)
        return plain(self, low * (torch.inf if low.shape[-2:] == (18, 18) else 1))

    def limited(path: Path, image: torch.Tensor, **more: object) -> None:
        """The system refuses this file, as where a quota ends."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        if image.shape[-1] == 14:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            write(path, image, **more)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(LearnedRestorer, "restore", restored)
    monkeypatch.setattr(picture, "write", limited)
    assert main([*restoring, "enlarge=2"]) == 1
    out, err = capfd.readouterr()
    assert "5 restored, 5 skipped" in out
    for name, why in {
        "long.webp": "would be 32766 px long, and a .webp file takes at most 16383: lower enlarge, or give it as PNG.",
        "long.jpg": "would be 131000 px long, and a .jpg file takes at most 65500: lower enlarge, or give it as PNG.",
        "nan.png": "the network's output is not finite, so it is not a picture.",
        "large.png": "of 8x8 px needs more memory than there is: a smaller picture or a lower enlarge may help.",
        "full.png": "cannot be written: File too large.",
    }.items():
        (line,) = (line for line in err.split("\n") if name in line)
        assert why in line
        assert line.startswith("csrgan restore: skipped: ")
        assert not (tmp_path / "out" / name).exists()
    assert "Traceback" not in err
    assert max(map(max, seen)) < 100
    assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_is_not_finite_makes_no_picture(
    value: float, restoring: list[str], tmp_path: Path, checkpoint: Path
) -> None:
    content = torch.load(checkpoint, weights_only=True)
    bad = {
        name: torch.full_like(weight, value) if name.endswith("bias") else weight for name, weight in content["state_dict"].items()
    }
    torch.save(content | {"state_dict": bad}, tmp_path / "bad.ckpt")
    assert main([*restoring, f"checkpoint={tmp_path}/bad.ckpt"]) == 1
    assert not list((tmp_path / "out").iterdir())
    assert main([*restoring[:2], f"checkpoint={tmp_path}/bad.ckpt", f"source={tmp_path}/photos/a.png", restoring[3]]) == 2


def test_names_are_no_formulas_and_stay_in_their_line(checkpoint: Path, tmp_path: Path) -> None:
    for name in ("=1+1.png", "+a.png", "-a.png", "@a.png", "\ta.png", "a\nb.png", "a=1.png"):
        save(tmp_path / "odd" / name)
    assert main(["restore", f"checkpoint={checkpoint}", f"source={tmp_path}/odd", f"destination={tmp_path}/out"]) == 0
    told = {row["file"] for row in rows(tmp_path / "out")}
    assert told == {"'=1+1.png", "'+a.png", "'-a.png", "'@a.png", "\\x09a.png", "a\\x0ab.png", "a=1.png"}
    assert len((tmp_path / "out" / "parameters.csv").read_text().split("\n")) == 9


@pytest.mark.parametrize(
    ("name", "degradation", "factor", "said"),
    [
        ("csrgan", "readme", 8.0, "enlarge=8 makes S 8 times as large, but the model was trained for scales of 1 to 3"),
        ("csrgan", "readme", 3.0, ""),
        ("csrgan", "readme", 0.5, ""),
        (
            "srgan",
            "bicubic_x4",
            2.0,
            "enlarge=2 times the network's own 4 makes S 8 times as large, but the model was trained for scales of 4",
        ),
        ("srgan", "bicubic_x4", 0.5, "the network's own 4 makes S 2 times as large"),
        ("srgan", "bicubic_x4", 1.0, ""),
    ],
)
def test_what_the_model_was_not_trained_for_is_said(name: str, degradation: str, factor: float, said: str) -> None:
    words = [f"degradation={degradation}"] if degradation != "readme" else []
    system, _ = made(name, *words)
    sentence = " ".join(untrained_scale(system.restorer, factor))
    assert said in sentence
    assert bool(said) == bool(sentence)
    untrained = Bicubic(degradation=build(composed(*words)["degradation"], "degradation"))
    assert not list(untrained_scale(untrained, factor))


OWN = """
from pathlib import Path
import torch
from csrgan.records import Restoration
from csrgan.restorers.restorer import Restorer

class Brighter(Restorer):
    def __init__(self, degradation, file):
        super().__init__(degradation)
        self.layers = [torch.nn.Linear(1, 1, bias=False)]
        torch.nn.init.constant_(self.layers[0].weight, float(Path("weight.txt").read_text()))
        self.file = Path(file)

    def restore(self, low, names=()):
        factor = self.layers[0].weight.item() * float(self.file.read_text())
        return Restoration((low * factor).clamp(0, 1))
"""


def test_a_restorer_of_ones_own_restores_again_once_its_weights_changed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights in a module that it holds, or in a file that its configuration names."""
    (tmp_path / "own_restorer" / "conf" / "system").mkdir(parents=True)
    (tmp_path / "own_restorer" / "__init__.py").write_text(OWN)
    choice = "_target_: own_restorer.Brighter\ndegradation: ${degradation}\nfile: factor.txt\n"
    (tmp_path / "own_restorer" / "conf" / "system" / "brighter.yaml").write_text(f"# Brighter\n{choice}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setenv("CSRGAN_ALLOW", "own_restorer")
    words = ["restore", "system=brighter", "degradation=readme", f"source={photos}/a.png", "destination=out"]
    results = []
    for weight, factor in (("1", "1"), ("0.5", "1"), ("0.5", "0.5"), ("0.5", "0.5")):
        (tmp_path / "weight.txt").write_text(weight)
        (tmp_path / "factor.txt").write_text(factor)
        assert main(words) == 0
        results.append((tmp_path / "out" / "a.png").read_bytes())
    assert len(set(results)) == 3
    assert "1 of 1 pictures were restored before" in capsys.readouterr().out


@pytest.fixture(scope="module")
def sharpening(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that is not the identity: its filter sharpens, and its U-Net adds something."""
    content = torch.load(checkpoint, weights_only=True)
    made = torch.Generator().manual_seed(0)
    for name, weight in content["state_dict"].items():
        if name.endswith("choose.3.bias"):
            shape = torch.linspace(0, 1, len(weight))
            weight.copy_(1.5 * shape * torch.exp(-6 * shape))
        elif name.endswith("body.u.last.weight"):
            weight.normal_(std=0.1, generator=made)
    file = tmp_path_factory.mktemp("sharpening") / "a.ckpt"
    torch.save(content, file)
    return file


def test_a_large_picture_is_restored_in_tiles_as_it_is_whole(
    sharpening: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of any depth, with alpha, and enlarged; the picture is never whole in floating point. The progress says how long it takes."""
    sharp = np.hstack([skimage.data.astronaut()[:300], skimage.data.coffee()[:300, :300]])
    source = tmp_path / "photos"
    source.mkdir()
    Image.fromarray(sharp).save(source / "eight.png")
    cv2.imwrite(str(source / "deep.png"), sharp[:270].astype(np.uint16) * 257)
    Image.fromarray(np.dstack([sharp[:260], sharp[:260, :, 0]])).save(source / "alpha.png")
    Image.fromarray(sharp[:150, :200]).save(source / "small.png")
    parts: list[int] = []
    part = Picture.part

    def counted(self: Picture, rows: slice, columns: slice) -> torch.Tensor:
        found = part(self, rows, columns)
        parts.append(found[0, 0].numel())
        return found

    monkeypatch.setattr(Picture, "part", counted)
    monkeypatch.setattr("csrgan.data.progress.INTERVAL", 0.0)
    words = ["restore", f"checkpoint={sharpening}", f"source={source}", "device=cpu", "scores=false"]
    assert main([*words, f"destination={tmp_path}/whole", "tile=1280"]) == 0
    assert "restoring" not in capsys.readouterr().out
    parts.clear()
    assert main([*words, f"destination={tmp_path}/tiles", "tile=384"]) == 0
    assert max(parts) <= 384**2 < sharp.shape[0] * sharp.shape[1]
    assert re.search(r"eight\.png: restoring: [1-9][0-9]%, [0-9]+ s left", capsys.readouterr().out)
    for name in ("eight.png", "deep.png", "alpha.png"):
        whole, tiles = (cv2.imread(str(tmp_path / way / name), cv2.IMREAD_UNCHANGED) for way in ("whole", "tiles"))
        assert whole.dtype == tiles.dtype
        assert np.abs(whole.astype(int) - tiles).max() <= (1 if whole.dtype == np.uint8 else 257)
        assert np.abs(cv2.imread(str(source / name), cv2.IMREAD_UNCHANGED).astype(int) - whole).mean() > 0.1
    assert (tmp_path / "whole" / "small.png").read_bytes() == (tmp_path / "tiles" / "small.png").read_bytes()
    for one, other in zip(rows(tmp_path / "whole"), rows(tmp_path / "tiles"), strict=True):
        assert one.pop("file") == other.pop("file")
        np.testing.assert_allclose([*map(float, one.values())], [*map(float, other.values())], rtol=1e-5)
    assert main([*words, f"destination={tmp_path}/tiles", "tile=384"]) == 0
    assert "4 of 4 pictures were restored before" in capsys.readouterr().out


def test_tiles_of_an_enlarged_picture_and_of_one_in_memory(sharpening: Path, tmp_path: Path) -> None:
    sharp = skimage.data.astronaut()[:180, :250]
    Image.fromarray(sharp).save(tmp_path / "photo.png")
    words = ["restore", f"checkpoint={sharpening}", f"source={tmp_path}/photo.png", "enlarge=2"]
    for tile in (384, 1280):
        assert main([*words, f"destination={tmp_path}/{tile}", f"tile={tile}"]) == 0
    tiles, whole = (np.asarray(Image.open(tmp_path / str(tile) / "photo.png")).astype(int) for tile in (384, 1280))
    assert tiles.shape == (360, 500, 3)
    assert np.abs(tiles - whole).max() <= 1
    model = csrgan.load(sharpening)
    assert (model(sharp, 2, tile=384).image == tiles).all()
    assert (model(sharp, 2).image == whole).all()
    floating, deep = model(sharp / np.float64(255), 2, tile=384).image, model(sharp.astype(np.uint16) * 257, 2, tile=384).image
    np.testing.assert_allclose(floating, model(sharp / 255, 2).image, atol=1 / 255)
    assert (floating.dtype, deep.dtype) == (np.float64, np.uint16)
    batch = torch.from_numpy(sharp.copy()).permute(2, 0, 1)[None, :1].float().expand(2, -1, -1, -1) / 255
    found = model(batch, 2, tile=384).image
    assert found.shape == (2, 1, 360, 500)
    torch.testing.assert_close(found, model(batch, 2).image, atol=1 / 255, rtol=0)
    with pytest.raises(UserError, match=r"tile=8 is below 384, the least that it can be\."):
        model(sharp, tile=8)
    assert main([*words, f"destination={tmp_path}/none", "tile=8"]) == 2


@pytest.mark.long
def test_the_memory_and_the_time_a_pixel_of_a_large_picture(tmp_path: Path) -> None:
    """24 megapixels in less than 1.5 GB, everything included, and as fast a pixel as one megapixel."""
    assert main(["train", "trainer=smoke", "logger=none", "trainer.panels=0", f"run_dir={tmp_path}/run"]) == 0
    seconds = {}
    for name, (height, width) in {"none": (8, 8), "small": (1000, 1000), "large": (4000, 6000)}.items():
        pixels = np.tile(skimage.data.astronaut(), (8, 12, 1))[:height, :width]
        Image.fromarray(pixels).save(tmp_path / f"{name}.png", compress_level=1)
        words = ["restore", f"checkpoint={tmp_path}/run", f"source={tmp_path}/{name}.png", f"destination={tmp_path}/{name}"]
        measured = (
            "import resource, subprocess, sys\n"
            "assert subprocess.run([sys.executable, '-m', 'csrgan', *sys.argv[1:]]).returncode == 0\n"
            "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "print(used.ru_maxrss, used.ru_utime + used.ru_stime)"
        )
        done = subprocess.run([sys.executable, "-c", measured, *words], capture_output=True, text=True, check=True)
        kilobytes, seconds[name] = map(float, done.stdout.split("\n")[-2].split())
    assert kilobytes < 1.5e6
    small, large = seconds["small"] - seconds["none"], (seconds["large"] - seconds["none"]) / 24
    tell(f"restoring: {small:.2f} us a pixel of 1 megapixel, {large:.2f} of 24; {kilobytes / 1e6:.2f} GB")
    assert large < 1.5 * small


def test_scores_that_need_no_sharp_picture_stand_beside_theta(restoring: list[str], photos: Path, tmp_path: Path) -> None:
    save(photos / "large.png", shape=(192, 200))
    assert main(restoring) == 0
    for row in rows(tmp_path / "out"):
        assert 0 < float(row["consistency_db"]) <= 100
        large = row["file"] == "large.png"
        assert bool(row["niqe_low"]) == bool(row["niqe_restored"]) == large
        if large:
            low, restored = (csrgan.metrics.niqe(folder / "large.png") for folder in (photos, tmp_path / "out"))
            assert float(row["niqe_low"]) == pytest.approx(low, rel=1e-3)
            assert float(row["niqe_restored"]) == pytest.approx(restored, rel=0.05)  # of S before it was rounded
    assert main([*restoring[:-1], f"destination={tmp_path / 'plain'}", "scores=false"]) == 0
    assert "consistency_db" not in rows(tmp_path / "plain")[0]


def test_results_that_are_replaced_are_counted(
    restoring: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By another enlargement, as by another model; what is made anew where nothing was replaces nothing."""
    assert main(restoring) == 0
    assert f"{len(NAMES)} restored, 0 skipped: " in capsys.readouterr().out
    save(photos / "new.png")
    assert main([*restoring, "enlarge=2"]) == 0
    first, *_, last = capsys.readouterr().out.strip().split("\n")
    assert first.startswith(f"replacing {len(NAMES)} earlier files of another model")
    assert last.startswith(f"{len(NAMES) + 1} restored ({len(NAMES)} of them replaced earlier files), 0 skipped: ")
    (tmp_path / "out" / "new.png").unlink()
    assert main([*restoring, "enlarge=2"]) == 0
    assert f"{len(NAMES) + 1} restored, 0 skipped: " in capsys.readouterr().out
    assert main([*restoring[:2], f"source={photos}/new.png", restoring[3]]) == 0
    assert "1 restored (1 of them replaced an earlier file), 0 skipped: " in capsys.readouterr().out
