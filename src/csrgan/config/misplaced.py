"""Yaml files of the user's that csrgan does not find where they lie, and words that choose without the kind in between."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from csrgan.config import announced, search
from csrgan.config.location import conf
from csrgan.files import exists, relative

DEPTH = 5  # folders, this one included, in which a package may lie; looking through all could take minutes
GLOBAL = "# @package _global_"  # first line of a file that sets keys of the whole configuration

# Groups whose choices lie in folders of their kinds, with what a kind holds: there is conf/loss/KIND/NAME.yaml.
OF_KINDS = {"factor": "a factor of the degradation", "loss": "a loss term"}


def kind_fault(override: Override, available: Mapping[str, Sequence[str]]) -> str | None:
    """Return a sentence for a choice from a group of kinds, as in loss=sobel; None for any other override."""
    group, value = str(override.key_or_group), override.value()
    if group not in OF_KINDS or override.is_delete() or not isinstance(value, str) or "$" in value:
        return None
    said = f"{override.input_line} names no kind: {OF_KINDS[group]} is chosen as {group}/KIND=NAME"
    files = [folder / group / f"{value}.yaml" for folder in search.folders()]
    for file in filter(exists, files):
        there = f"{relative(file)} lies one folder too high: move it to {relative(file.parent)}/KIND/{file.name}, with a KIND of"
        return f"{said}. {there} your own, and add it with +{group}/KIND={value}."
    kinds = [kind for kind, choices in available.items() if kind.startswith(f"{group}/") and value in choices]
    words = [f"{'' if is_chosen(kind) else '+'}{kind}={value}" for kind in kinds]
    return f"{said}, here {' or '.join(words)}." if words else f"{said}; the kinds are {', '.join(_kinds(group, available))}."


def hint(group: str, choice: str) -> str:
    """Return where a user's file lies that a group lacks, if that is a folder above, or its name ends with .yml; empty if there is
    none."""
    misnamed = [folder / group / f"{choice}.yml" for folder in search.folders()]
    renamed = [f" {relative(file)} must be named {choice}.yaml." for file in misnamed if exists(file)]
    above = ["", *("/".join(group.split("/")[:depth]) for depth in range(1, group.count("/") + 1))]
    files = [(folder, folder / place / f"{choice}.yaml") for folder in search.folders() for place in above]
    found = [
        f" {relative(file)} lies too high: move it to {relative(folder / group / file.name)}."
        for folder, file in files
        if exists(file)
    ]
    return "".join([*renamed, *found])


def forgotten(group: str, choice: str) -> str:
    """Return which folder in the current one holds a choice, but is not named by the command; empty if none does."""
    if "/" in choice:  # the name of a file somewhere else
        return ""
    searched = {folder.absolute() for folder in (*search.folders(), conf())}
    unnamed = [folder for folder in sorted(Path().glob("*/")) if exists(folder / group / f"{choice}.yaml")]
    hidden = [folder for folder in unnamed if folder.absolute() not in searched]
    return "".join(f" {folder / group / choice}.yaml is there: add {announced.FLAG}{folder}." for folder in hidden[:1])


def package_faults(base: DictConfig, choices: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a sentence for each chosen file of the user's that lacks the line by which all of csrgan's own files of its group set
    keys of the whole configuration: without it, Hydra puts what the file sets below a key of the group's name, where nothing reads
    it. choices: of each group."""
    folders = search.folders()
    for group, choice in choices.items():
        files = [file for folder in folders for file in sorted((folder / group).glob("*.yaml")) if not _says_global(file)]
        if not files or not OmegaConf.select(base, group.replace("/", ".")) or not _is_global(group):
            continue
        for file in [file for file in files if file.stem == choice] or files:
            yield f"{relative(file)} sets nothing, because a line is missing: begin the file with {GLOBAL}"


def _is_global(group: str) -> bool:
    """Return whether all of csrgan's own choices of a group, but those that set nothing, set keys of the whole configuration."""
    files = list((conf() / group).glob("*.yaml"))
    plain = [file for file in files if not _says_global(file)]
    return len(plain) < len(files) and not any(map(OmegaConf.load, plain))


def _says_global(file: Path) -> bool:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").split("\n"))
    return next(filter(None, lines), "").replace(" ", "") == GLOBAL.replace(" ", "")


def group_hint(group: str) -> str:
    """Return what helps where a folder conf/GROUP lies in none of the folders that csrgan searches; empty if there is none."""
    here = [path for depth in range(DEPTH) for path in sorted(Path().glob(f"{'*/' * depth}conf/{group}"))]
    installed = [path for entry in sys.path if entry for path in Path(entry).glob(f"*/conf/{group}")]
    found = [path.absolute() for path in (*here, *installed)]
    depth, searched = group.count("/") + 1, {folder.absolute() for folder in search.folders()}
    hidden = (path for path in found if path.parents[depth - 1] not in searched)
    return next(filter(None, (_remedy(path, path.parents[depth], group) for path in hidden)), "")


def package_hint() -> str:
    """Return what is wrong with packages whose choices are not found; empty if nothing is."""
    return "".join(f" {sentence}" for sentence in search.incomplete())


def _remedy(path: Path, holder: Path, group: str) -> str:
    """Return what helps to find the choices in a folder. path: the folder. holder: the folder that has `conf`."""
    name, package = holder.name, _package_of(holder)
    if package != holder:
        return f" {relative(path)} does not lie in the package's own conf: move it to {relative(package / 'conf' / group)}."
    allow = f"name it in {announced.ALLOW}={name}"
    if holder in search.places(name) and search.is_installed(name):
        lacks = f"has conf/{group}, and is installed without an entry point of the group {announced.ENTRY_POINTS}"
        give = "give its pyproject.toml one (see docs/how_to/plug_ins.md) and install it again"
        return f" The package {name} {lacks}: {give}, or {allow}."
    if holder in search.places(name):
        return f" The package {name} here has conf/{group}: {allow}."
    is_package = (holder / "__init__.py").is_file() or holder.parent.name == name
    if not name.isidentifier() or (holder == Path.cwd() and not is_package):
        return f" {relative(path)} is in no package: add {announced.FLAG}{relative(holder / 'conf')}."
    if search.is_importable(name):  # a package of the same name elsewhere
        return ""
    project = holder.parent
    folder = project.parent if project.name == name and is_package else project
    allowed = "" if name in search.packages() else f" with {announced.ALLOW}={name}"
    return f" The package {name} has conf/{group}: run the command in {relative(folder)}{allowed}."


def _package_of(holder: Path) -> Path:
    """Return the package to which a folder belongs: one around it, or the one in a project; else the folder itself."""
    while (holder.parent / "__init__.py").is_file():
        holder = holder.parent
    if (holder / "__init__.py").is_file():
        return holder
    inner = sorted(file.parent for file in holder.glob("*/__init__.py") if file.parent.name != "tests")
    named = [folder for folder in inner if folder.name == holder.name.replace("-", "_")]
    alone = inner if (holder / "pyproject.toml").is_file() and len(inner) == 1 else []
    return next(iter(named or alone), holder)


def _kinds(group: str, available: Mapping[str, Sequence[str]]) -> Iterator[str]:
    return (kind for kind in available if kind.startswith(f"{group}/"))


def is_chosen(kind: str) -> bool:
    """Return whether csrgan train chooses from a kind by itself, so that no + is needed."""
    return f"- {kind}: " in Path(conf(), "train.yaml").read_text(encoding="utf-8")
