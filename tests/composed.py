"""Configurations as the command line composes them, for tests."""

from __future__ import annotations

import copy
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from csrgan.config.compose import composed as of_command
from csrgan.config.folder import groups

GROUPS = dict(groups())
SMALL = ("trainer=smoke", "generator.width=8", "generator.levels=2", "generator.first.spectrum_bins=8", "discriminator.width=4")


def choices(group: str) -> list[str]:
    """The names of a group's files."""
    return [file.stem for file in GROUPS[group]]


def covering(*without: str) -> list[list[str]]:
    """Words that choose every choice in few compositions: the k-th of each group, then each that is added with a +."""
    own = {group: choices(group) for group in GROUPS if group not in without and not group.startswith("factor/")}
    longest = max(map(len, own.values()))
    together = [[f"{group}={names[k % len(names)]}" for group, names in own.items()] for k in range(longest)]
    return together + [[f"+{group}={name}"] for group in GROUPS if group.startswith("factor/") for name in choices(group)]


def composed(*overrides: str, command: str = "train") -> dict[str, Any]:
    """The plain configuration of a command with these overrides."""
    return copy.deepcopy(_composed(overrides, command))


@cache
def _composed(overrides: tuple[str, ...], command: str) -> dict[str, Any]:
    own = [f"degradation.kernel.file={kernels()}"] if any(word.startswith("degradation=levin") for word in overrides) else []
    own += ["system.command='cp {low} {restored}'"] if "system=program" in overrides else []
    return of_command(command, [*overrides, *own])


@cache
def kernels() -> str:
    """A file of two uneven kernels, for protocols that need a file of the user's."""
    file = Path(tempfile.mkdtemp()) / "kernels.npy"
    np.save(file, np.random.default_rng(0).random((2, 7, 7)))
    return str(file)
