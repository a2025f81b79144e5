"""Configurations as the command line composes them, for tests."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import open_dict

from csrgan.config.build import plain
from csrgan.config.folder import conf, groups

GROUPS = dict(groups())
SMALL = ("trainer=smoke", "generator.width=8", "generator.levels=2", "generator.first.spectrum_bins=8", "discriminator.width=4")


def choices(group: str) -> list[str]:
    """The names of a group's files."""
    return [file.stem for file in GROUPS[group]]


def composed(*overrides: str, command: str = "train") -> dict[str, Any]:
    """The plain configuration of a command with these overrides."""
    return copy.deepcopy(_composed(overrides, command))


@cache
def _composed(overrides: tuple[str, ...], command: str) -> dict[str, Any]:
    with initialize_config_dir(str(conf()), version_base="1.3"):
        config = compose(command, [*overrides])
    with open_dict(config):
        config.run_dir = "unused"
    return plain(config)
