"""Checkpoints of a tiny system that was never trained, for tests."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import torch
from systems import made


@cache
def held(name: str = "csrgan", *words: str) -> dict[str, Any]:
    """What the file of a system holds; not to be changed."""
    system, _ = made(name, *words)
    saved = {"state_dict": system.state_dict()}
    system.on_save_checkpoint(saved)
    return saved


def save(file: Path, recipe: dict[str, Any] | None = None, name: str = "csrgan") -> Path:
    """A checkpoint, with a recipe of one's own. Returns its file."""
    known = held(name)
    torch.save(known | {"csrgan": known["csrgan"] | ({"recipe": recipe} if recipe is not None else {})}, file)
    return file


def recipe(name: str = "csrgan") -> dict[str, Any]:
    """Its configuration, as a copy that may be changed."""
    return copy.deepcopy(held(name)["csrgan"]["recipe"])
