"""csrgan publish: a network that restores elsewhere what it restored here."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import train
from PIL import Image

import csrgan
from csrgan.cli import main


def test_a_published_network_restores_the_same_picture_and_tells_nothing_of_its_maker(
    run: Path, photographs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "published"
    assert main(["publish", f"checkpoint={run}", f"destination={out}"]) == 0
    network, page = out / "network.ckpt", (out / "README.md").read_text()
    whole = (run / "checkpoints" / "last.ckpt").stat().st_size
    assert network.stat().st_size < whole / 3
    assert hashlib.sha256(network.read_bytes()).hexdigest() in page
    assert "| PSNR, RGB, dB |" in page
    assert "| noise std, /255 | 0 | 10 |" in page
    assert str(run).encode() not in network.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(out, elsewhere)
    made = []
    for number, checkpoint in enumerate((run, elsewhere / "network.ckpt")):
        folder = tmp_path / f"restored{number}"
        words = ("restore", f"checkpoint={checkpoint}", f"source={photographs / 'colour.png'}", f"destination={folder}")
        assert main([*words]) == 0
        made.append(np.asarray(Image.open(folder / "colour.png")))
        made.append((folder / "parameters.csv").read_text())
    assert (made[0] == made[2]).all()
    assert made[1] == made[3]


def test_the_folder_of_a_published_network_is_enough(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/published"]) == 0
    published, trained = (csrgan.load(folder).system.ema.state_dict() for folder in (tmp_path / "published", run))
    assert all(torch.equal(weight, trained[name]) for name, weight in published.items())


def test_a_training_begins_with_a_published_network(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/published"]) == 0
    network = tmp_path / "published" / "network.ckpt"
    train(tmp_path / "on", f"init_from={network}", "optimizer.generator.lr=0", "trainer.images=4", size=())
    mine, theirs = (torch.load(file, weights_only=True)["state_dict"] for file in (tmp_path / "on/checkpoints/last.ckpt", network))
    for name, weight in theirs.items():
        torch.testing.assert_close(mine[name], weight, atol=1e-6, rtol=0)


def test_the_page_tells_of_larger_crops_at_the_end(run: Path, tmp_path: Path) -> None:
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    content["csrgan"]["recipe"]["data"] |= {"final_crop": 96, "final_fraction": 0.25}
    torch.save(content, tmp_path / "own.ckpt")
    for name, checkpoint in (("final_fraction", tmp_path / "own.ckpt"), ("plain", run)):
        assert main(["publish", f"checkpoint={checkpoint}", f"destination={tmp_path}/{name}"]) == 0
        page = (tmp_path / name / "README.md").read_text()
        assert ("(the last 25% of 96 px)" in page) == (name == "final_fraction")


def test_what_cannot_be_published_is_told(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/full"]) == 2
    assert "is not empty: choose a new folder." in capfd.readouterr().err
    assert main(["publish", f"checkpoint={run}"]) == 2
    assert "destination is needed" in capfd.readouterr().err
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/one"]) == 0
    assert main(["publish", f"checkpoint={tmp_path}/one/network.ckpt", f"destination={tmp_path}/two"]) == 2
    assert "was published already: copy it." in capfd.readouterr().err
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_file_of_the_makers_machine_is_not_published(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    held = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    held["csrgan"]["recipe"]["degradation"]["kernel"] = {
        "_target_": "csrgan.degradation.kernel_priors.FreeForm",
        "file": str(tmp_path / "kernels.npy"),
    }
    torch.save(held, tmp_path / "own.ckpt")
    assert main(["publish", f"checkpoint={tmp_path}/own.ckpt", f"destination={tmp_path}/out"]) == 2
    assert f"recipe.degradation.kernel.file={tmp_path}/kernels.npy is a file that others do not have" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
