"""csrgan publish: what others need of a trained system: the network that restores, alone, and a page that says what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from csrgan import files
from csrgan.api.loading import trained
from csrgan.console import Console
from csrgan.errors import UserError, require
from csrgan.files import relative
from csrgan.reports import table
from csrgan.reports.table import FACTORS, label
from csrgan.run_folder import SUMMARY
from csrgan.runs import jobs
from csrgan.training.system import System

NETWORK, PAGE = "network.ckpt", "README.md"


def run(config: DictConfig) -> int:
    """Write the folder."""
    for key in ("checkpoint", "destination"):
        require(not OmegaConf.is_missing(config, key), f"{key} is needed: give it as {key}=VALUE.")
    source, folder = Path(config.checkpoint), Path(config.destination)
    require(not folder.exists() or not any(folder.iterdir()), f"destination={folder} is not empty: choose a new folder.")
    system, recipe = trained(str(source), "cpu")
    require("data" in recipe, f"checkpoint={source} is published already: copy it.")
    crops = (
        [recipe["data"].get(key) for key in ("crop", "final_crop", "final_fraction")]
        if isinstance(recipe["data"], dict)
        else ["none"]
    )
    require(all(isinstance(side, int | float | None) for side in crops), f"checkpoint={source}: its recipe.data is damaged.")
    described = {key: recipe[key] for key in ("system", "degradation")}  # all that rebuilds it, and none of its maker's folders
    for place, value in _paths(described, "recipe"):
        raise UserError(f"checkpoint={source}: {place}={value} is a file that others do not have; train without it to publish.")
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"ema.{name}": weight.clone() for name, weight in system.ema.state_dict().items()}
    about = {"images_seen": system.images_seen, "calibration": system.restorer.calibration.rows, "published": True}
    held = {"state_dict": weights, "csrgan": {"recipe": described, **about}}
    with files.atomic_write(folder / NETWORK) as part:
        torch.save(held, part)
    files.write(folder / PAGE, "\n".join(_page(system, recipe, source, folder)) + "\n")
    size = (folder / NETWORK).stat().st_size / 1e6
    Console().print(f"{size:.1f} MB: {relative(folder)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _paths(tree: Any, place: str) -> Iterator[tuple[str, str]]:
    """Values that name a file by where it lies, and their keys."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _paths(value, f"{place}.{key}")
        if isinstance(value, str) and (Path(value).is_absolute() or Path(value).is_file()):
            yield f"{place}.{key}", value


def _page(system: System, recipe: dict[str, Any], source: Path, folder: Path) -> Iterator[str]:
    """What the network is, in Markdown: how it was made, what it takes, what it was seen to reach, how it is used."""
    size = sum(weight.numel() for weight in system.ema.parameters())
    digest = hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()
    yield f"# A {type(system).__name__} network for blind super-resolution\n"
    crops = f"{system.images_seen:,} crops of {recipe['data']['crop']} px"
    if late := recipe["data"].get("final_crop"):  # which older files do not have
        crops += f" (the last {recipe['data']['final_fraction']:.0%} of {late} px)"
    yield f"{size:,} parameters, trained on {crops} by csrgan {version('csrgan')}."
    yield f"SHA-256 of `{NETWORK}`: `{digest}`.\n"
    yield "    csrgan restore checkpoint=network.ckpt source=photos destination=restored\n"
    yield "It was trained to undo, each picture by its own draw:\n"
    yield "| | from | to |"
    yield "|---|---|---|"
    for name, drawn in system.restorer.prior.ranges.items():
        low, high = (bound * FACTORS.get(name, 1.0) for bound in drawn.bounds)
        yield f"| {label(name, system.restorer.prior.units)} | {low:.4g} | {high:.4g} |"
    if not (source / SUMMARY).is_file():
        yield "\nWhat it reaches was not measured beside it: `csrgan evaluate checkpoint=network.ckpt data.valid=photos` does."
        return
    reached = jobs.summary(source)
    yield f"\nWhat it reached on the {reached['rows']:.0f} pictures and degradations of its evaluation:\n"
    for made in (table.scores(reached), table.parameters(reached, system.restorer.prior.units)):
        if made:
            yield table.markdown(made) + "\n"
