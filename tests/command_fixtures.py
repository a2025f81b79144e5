"""Fixtures of the tests that run commands: a finished run, a checkpoint, folders of pictures. A conftest.py imports some."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import checkpoints
import cv2
import numpy as np
import pytest
import skimage.data
from commands import csrgan
from filelock import FileLock
from folders import NAMES, save
from forked import Commands, commands
from PIL import Image
from stopped import WORDS


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the processes of pytest share: the first that asks makes what is in it, and nobody changes it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            make(folder)
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished smoke run with everything on, made by a real process."""

    def make(folder: Path) -> None:
        done = csrgan("train", "trainer=smoke", f"run_dir={folder}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().split("\n")[-1] == str(folder)
        assert "PSNR" in done.stdout

    return once(tmp_path_factory, "run", make)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with commands(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture(scope="session")
def whole(server: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""

    def make(folder: Path) -> None:
        status, said = server.run("train", f"run_dir={folder}", *WORDS)
        assert status == 0, said

    return once(tmp_path_factory, "whole", make)


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


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.save(tmp_path_factory.mktemp("checkpoint") / "a.ckpt")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for index, name in enumerate(NAMES):
        save(tmp_path / "photos" / name, index)
    return tmp_path / "photos"


@pytest.fixture
def restoring(checkpoint: Path, photos: Path, tmp_path: Path) -> list[str]:
    """The words of a command over a folder of small pictures."""
    return ["restore", f"checkpoint={checkpoint}", f"source={photos}", f"destination={tmp_path}/out"]
