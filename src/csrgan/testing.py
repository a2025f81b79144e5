"""Contracts for the choices of your own package: the tests that `csrgan new` writes use them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

from csrgan.api.evaluation import evaluate
from csrgan.config import announced, search
from csrgan.config.compose import composed
from csrgan.config.folder import first_line, groups
from csrgan.config.location import conf
from csrgan.errors import UserError
from csrgan.launch import train
from csrgan.run_folder import CHECKPOINTS
from csrgan.tree import Settings

QUICK = ("trainer=smoke", "logger=none", "trainer.panels=0", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=64")


def choices(package: str) -> list[str]:
    """Return the words that select each choice in a package's folder conf, as ["generator=residual", "+loss/frequency=fft"].

    Sweeps are left out. Raises UserError if csrgan does not find the package.
    """
    known_groups = {file.parent.relative_to(conf()).as_posix() for file in conf().rglob("*.yaml")}
    folder = next((each for each in search.folders() if each.parent.name == package.rpartition(".")[2]), None)
    if folder is None:
        hint = f"install it with an entry point of the group csrgan, or set {announced.ALLOW}={package}"
        raise UserError(f"csrgan finds no folder conf of {package}: {hint}.")
    # A metric is not a choice: every evaluation computes it, and so does that of each choice.
    files_of_group = {group: [file for file in files if folder in file.parents] for group, files in groups() if group != "metric"}
    files = ((group, file) for group, paths in files_of_group.items() for file in paths)
    single = ((group, file) for group, file in files if "MULTIRUN" not in file.read_text(encoding="utf-8"))
    return [f"{'' if group in known_groups else '+'}{group}={file.stem}" for group, file in single]


def hold(choice: str, folder: Path) -> None:
    """Check that a choice keeps csrgan's contracts: its yaml says what it is, its keys are arguments, it trains, and its checkpoint
    alone gives the network that was scored.

    choice: a word of `csrgan train`, see `choices`. folder: where the run is written. Raises AssertionError, or the error itself.
    """
    group, _, name = choice.lstrip("+").partition("=")
    (file,) = (file for file in dict(groups())[group] if file.stem == name)
    assert len(first_line(file)) > 10, f"{file} must begin with a comment that says what it is"
    for place, node in nodes(composed("train", [choice])):
        unknown = _unknown(node)
        assert not unknown, f"{place} has keys that {node['_target_']} does not take: {', '.join(unknown)}"
    run = train([*QUICK, choice, f"run_dir={folder / 'run'}"], quiet=True)
    if not (run.folder / CHECKPOINTS).is_dir():
        return  # it needs no training
    photographs = run.model.recipe["data"]["valid"]
    summary = evaluate(run.folder, photographs, crop=64, grid={"blur": 1, "scale": 1, "noise": 1}).summary
    difference = summary["psnr_restored"] - run.summary["psnr_restored"]  # the memory layout, and so the rounding, may differ
    assert abs(difference) < 1e-3, f"{choice}: its checkpoint restores another picture, {difference:+.3f} dB"


def nodes(tree: object, place: str = "") -> Iterator[tuple[str, Settings]]:
    """Yield every node with a `_target_`, and its key."""
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield place, tree
        for key, value in tree.items():
            yield from nodes(value, f"{place}.{key}".lstrip("."))


def _unknown(node: Settings) -> list[str]:
    """Return the keys of a node that its target does not take; targets of torch and Lightning are not checked."""
    target = resolve_name(node["_target_"])
    arguments = set(inspect.signature(target).parameters)
    return (
        []
        if target.__module__.startswith(("torch", "lightning"))
        else [key for key in node if key not in arguments and not key.startswith("_")]
    )
