"""The folder of the configuration, and the choices in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from omegaconf import DictConfig, OmegaConf

from csrgan.config import search
from csrgan.config.location import conf
from csrgan.tree import Settings

# Groups that offer no choice: their files end the defaults list of a choice in the group above.
HIDDEN = ("finally",)

Setting = TypeVar("Setting")


def _by_size(paper: Setting, small: Setting, *, _root_: DictConfig) -> Setting:
    return small if _root_.size == "small" else paper


def _share(part: float, *, _root_: DictConfig) -> int:
    return round(part * _root_.trainer.images)


# ${share:0.5} is half of trainer.images.
OmegaConf.register_new_resolver("share", _share, replace=True)

# ${by_size:64,16} is the first number at the size of the paper, the second if size=small.
OmegaConf.register_new_resolver("by_size", _by_size, replace=True)


def groups() -> Iterator[tuple[str, list[Path]]]:
    """Yield each group with its yaml files, the user's own included: ("loss/image", [.../charbonnier.yaml, ...])."""
    files: dict[str, list[Path]] = {}
    for root in (conf(), *search.folders()):
        for file in sorted(root.rglob("*.yaml")):
            if file.parent != root and file.parent.name not in HIDDEN:
                files.setdefault(file.parent.relative_to(root).as_posix(), []).append(file)
    yield from sorted(files.items())


@cache
def own_groups() -> frozenset[str]:
    """Return csrgan's own groups."""
    return frozenset(file.parent.relative_to(conf()).as_posix() for file in conf().glob("*/**/*.yaml"))


def first_line(file: Path) -> str:
    """Return the comment with which a yaml file begins, after Hydra's `# @package` line; it describes the choice. Empty without."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").split("\n"))
    first = next((line for line in lines if line and not line.startswith("# @")), "")
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def settings(file: Path) -> Settings:
    """Return the contents of a yaml file that refers to no other."""
    return contents(cast(DictConfig, OmegaConf.load(file)))


def contents(config: DictConfig, *, resolve: bool = True) -> Settings:
    """Return a configuration in plain containers, with its interpolations resolved or as written."""
    return cast(Settings, OmegaConf.to_container(config, resolve=resolve))
