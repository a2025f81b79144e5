"""Folders of small pictures, and what a command left in one, for tests."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("a.png", "b.png", "c.jpg", "deeper/d.png", "deeper/e.png")


def save(file: Path, seed: int = 0, shape: tuple[int, int] = (24, 20)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)).save(file)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file, without what csrgan keeps for itself."""
    return {
        name: file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and ".csrgan" not in (name := str(file.relative_to(folder)))
    }


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "parameters.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
