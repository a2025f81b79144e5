"""Where the configuration lies, and what can be chosen from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

from omegaconf import DictConfig, OmegaConf

from csrgan.config import search
from csrgan.tree import Settings

# Groups that are no choice: what a choice of the group above says last.
HIDDEN = ("finally",)
PACKAGE = Path(__file__).parents[1]

Setting = TypeVar("Setting")


def _by_size(paper: Setting, small: Setting, *, _root_: DictConfig) -> Setting:
    return small if _root_.size == "small" else paper


def _share(part: float, *, _root_: DictConfig) -> int:
    return round(part * _root_.trainer.images)


# ${share:0.5} is half of the images of the training.
OmegaConf.register_new_resolver("share", _share, replace=True)

# ${by_size:64,16} in a yaml file is the first number at the size of the paper, and the second where size=small.
OmegaConf.register_new_resolver("by_size", _by_size, replace=True)


def conf() -> Path:
    """The folder of yaml files: inside an installed wheel, or beside src/ in a checkout."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parents[1] / "conf"


def groups() -> Iterator[tuple[str, list[Path]]]:
    """Each group of choices with its yaml files, those of one's own too: ("loss/image", [.../charbonnier.yaml, ...])."""
    found: dict[str, list[Path]] = {}
    for root in (conf(), *search.folders()):
        for file in sorted(root.rglob("*.yaml")):
            if file.parent != root and file.parent.name not in HIDDEN:
                found.setdefault(file.parent.relative_to(root).as_posix(), []).append(file)
    yield from sorted(found.items())


def first_line(file: Path) -> str:
    """The comment at the head of a yaml file, after Hydra's own `# @package` line: what the choice is, in one line."""
    lines = file.read_text(encoding="utf-8").split("\n")
    return next((line.removeprefix("#").strip() for line in lines if not line.startswith("# @")), "")


def settings(file: Path) -> Settings:
    """What a yaml file says that stands by itself."""
    return contents(cast(DictConfig, OmegaConf.load(file)))


def contents(config: DictConfig, *, resolve: bool = True) -> Settings:
    """A configuration in plain containers, its interpolations resolved or as they stand."""
    return cast(Settings, OmegaConf.to_container(config, resolve=resolve))
