"""csrgan publish: export the network that restores, by itself, with a page that describes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from csrgan import files
from csrgan.api import onnx_file, teaching
from csrgan.api.loading import trained
from csrgan.config.announced import ALLOW, ENTRY_POINTS
from csrgan.console import Console
from csrgan.errors import UserError, needed, require
from csrgan.files import relative
from csrgan.reports import table
from csrgan.reports.table import FACTORS, label
from csrgan.run_folder import NETWORK, SUMMARY
from csrgan.runs import jobs, network_file
from csrgan.training.system import System
from csrgan.tree import Settings
from csrgan.version import __version__

PAGE, ONNX = "README.md", "network.onnx"


def run(config: DictConfig) -> int:
    """Write the network and its page into the folder, which is empty. Raises UserError if the checkpoint cannot be used."""
    for key in ("checkpoint", "destination"):
        require(not OmegaConf.is_missing(config, key), needed(key))
    source, folder = Path(config.checkpoint), Path(config.destination)
    system, recipe = trained(str(source), "cpu")
    system.restorer.require_blind()
    require("data" in recipe, f"checkpoint={source} was published already: copy it.")
    crops = (
        [recipe["data"].get(key) for key in ("crop", "final_crop", "final_fraction")]
        if isinstance(recipe["data"], dict)
        else ["none"]
    )
    require(all(isinstance(side, int | float | None) for side in crops), f"checkpoint={source}: its recipe.data is damaged.")
    described = {key: recipe[key] for key in ("system", "degradation")}  # enough to rebuild it, without the folders of its maker
    for key, value in _paths(described, "recipe"):
        raise UserError(f"checkpoint={source}: {key}={value} is a file that others do not have: to publish, train without it.")
    contents = {NETWORK: network_file.encoded(_content(system, described), half=config.half)}
    if config.format == "onnx":
        contents[ONNX] = onnx_file.exported(system.restorer, _facts(system))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with files.atomic_write(folder / name) as part:
            part.write_bytes(content)
    files.write(folder / PAGE, "\n".join(_page(system, recipe, source, folder)) + "\n")
    size = sum(map(len, contents.values()))
    shown = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
    Console().print(f"{shown}: {relative(folder)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _content(system: System, recipe: Settings) -> Settings:
    """Return what the file of the network holds: the averaged weights, and how to use them."""
    weights = {f"ema.{name}": weight for name, weight in system.ema.state_dict().items()}
    own = {"recipe": recipe, "images_seen": system.images_seen, "calibration": system.restorer.calibration.rows}
    own |= {"ood": system.restorer.ood.content()} if system.restorer.ood else {}
    return {"state_dict": weights, "csrgan": {**own, "published": True, "described": _facts(system)}}


def _facts(system: System) -> dict[str, object]:
    """Return what the metadata of a file hold."""
    trained_by = {"csrgan": __version__, "system": type(system).__name__, "images_seen": system.images_seen}
    return trained_by | dict(onnx_file.described(system.restorer))


def _paths(tree: object, key: str) -> Iterator[tuple[str, str]]:
    """Yield the key and value of each setting that names a file by its path."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _paths(value, f"{key}.{name}")
        if isinstance(value, str) and (Path(value).is_absolute() or Path(value).is_file()):
            yield f"{key}.{name}", value


def _page(system: System, recipe: Settings, source: Path, folder: Path) -> Iterator[str]:
    """Yield the page in Markdown: how the network was trained, how to use it, what it undoes and what it reached."""
    size = sum(weight.numel() for weight in system.ema.parameters())
    digest = hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()
    yield f"# A {type(system).__name__} network for blind super-resolution\n"
    crops = f"{system.images_seen:,} crops of {recipe['data']['crop']} px"
    if final_crop := recipe["data"].get("final_crop"):  # older files lack it
        crops += f" (the last {recipe['data']['final_fraction']:.0%} of {final_crop} px)"
    yield f"{size:,} parameters, trained on {crops} by csrgan {__version__}."
    yield f"SHA-256 of `{NETWORK}`: `{digest}`.\n"
    if (folder / ONNX).exists():
        yield f"`{ONNX}` is the same network for programs without csrgan; its metadata `csrgan` say what goes in and comes out."
        yield f"SHA-256 of `{ONNX}`: `{hashlib.sha256((folder / ONNX).read_bytes()).hexdigest()}`.\n"
    yield f"    csrgan restore checkpoint={NETWORK} source=photos destination=restored\n"
    if needed := sorted(teaching.packages(recipe)):
        names = " and ".join(f"`{name}`" for name in needed)
        it = "it" if len(needed) == 1 else "them"
        yield f"It needs {names} besides csrgan: install {it}. csrgan runs the code of a package only if that is allowed. An"
        yield f"installed package with an entry point of the group `{ENTRY_POINTS}` is; for another, name it in each command:\n"
        yield f"    {ALLOW}={','.join(needed)} csrgan restore checkpoint={NETWORK} source=photos destination=restored\n"
    yield "It was trained to undo degradations drawn for each picture from these ranges:\n"
    yield "| | from | to |"
    yield "|---|---|---|"
    for name, distribution in system.restorer.prior.ranges.items():
        low, high = (bound * FACTORS.get(name, 1.0) for bound in distribution.bounds)
        yield f"| {label(name, system.restorer.prior.units)} | {low:.4g} | {high:.4g} |"
    if not (source / SUMMARY).is_file():
        yield f"\nIt was not evaluated yet: `csrgan evaluate checkpoint={NETWORK} data.valid=photos` does that."
        return
    summary = jobs.summary(source)
    yield f"\nIts scores on the {summary['rows']:.0f} pictures and degradations of its evaluation:\n"
    for part in (table.scores(summary), table.parameters(summary, system.restorer.prior.units)):
        if part:
            yield table.markdown(part) + "\n"
