"""What the user's yaml files add to a configuration, and nothing reads: a misnamed group, or a misspelt key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

from csrgan.config import search
from csrgan.config.folder import contents, own_groups
from csrgan.config.keys import ALL
from csrgan.config.location import conf
from csrgan.config.misplaced import is_chosen
from csrgan.config.override import BY_FILE
from csrgan.errors import UserError
from csrgan.files import relative
from csrgan.tree import Settings

PACKAGE = re.compile(r"^#\s*@package\s+([\w.]+)", re.MULTILINE)  # Hydra's line: where a file's keys are put

Choices = Mapping[str, str | None]


def unread_faults(command: str, base: DictConfig, words: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each key that the user's files add and nothing reads, neither csrgan nor an interpolation.

    base: the configuration of the choices, with Hydra's. words: all overrides, whose values may refer to a key.
    """
    if not search.folders():
        return
    choices: Choices = base.hydra.runtime.choices
    text = " ".join([OmegaConf.to_yaml(base), *words])
    known = _known(command)
    for key in map(str, base):
        node = base._get_node(key)
        if key not in known:
            yield from () if _refers(text, key) else _unread_top(key, choices, known)
        elif key in own_groups() and key not in BY_FILE and isinstance(node, DictConfig) and not node._is_none():
            yield from _unread_inside(command, key, node, choices, text)


def misnamed_group(group: str, choice: str) -> str | None:
    """Return a sentence about a group of the user's whose first folder csrgan does not read; None for any other group."""
    top, _, kind = group.partition("@")[0].partition("/")
    if top in _tops() or not (folders := [folder for folder in search.folders() if (folder / top).is_dir()]):
        return None
    near = get_close_matches(top.lower(), _tops(), n=1, cutoff=0.4)
    said = f"{top} is no group that csrgan reads. Its groups: {', '.join(sorted(_tops()))}."
    if not near:
        return f"{said} Move {relative(folders[0] / top)} to the one that is meant."
    meant = "/".join(filter(None, (near[0], kind)))
    move = f"move {relative(folders[0] / top)} to {relative(folders[0] / near[0])}"
    if near[0] == "metric":
        return f"{said} Did you mean metric? Then {move}; a metric {BY_FILE['metric'][2]}."
    return f"{said} Did you mean {'' if is_chosen(meant) else '+'}{meant}={choice}? Then {move}."


def misnamed_metrics(text: str) -> Iterator[str]:
    """Yield a sentence for each folder of the user's whose name is nearly that of metrics: a metric needs no choice, so nothing
    else would tell that it is not computed. text: the words of the command, which may choose from the folder."""
    for folder in search.folders():
        names = [path.name for path in sorted(folder.iterdir()) if path.is_dir() and path.name not in _tops()]
        for name in get_close_matches("metric", names, n=1, cutoff=0.8):
            files = [file for file in sorted((folder / name).glob("*.yaml")) if "evaluation.metrics" in file.read_text("utf-8")]
            if files and f"{name}=" not in text and (sentence := misnamed_group(name, files[0].stem)):
                yield sentence


def _tops() -> set[str]:
    return {*(group.partition("/")[0] for group in own_groups()), *BY_FILE, "hydra"}


def _known(command: str) -> set[str]:
    """Return the top keys that csrgan itself gives to a command, and the groups from which more may be added."""
    files = [OmegaConf.load(conf() / f"{name}.yaml") for name in dict.fromkeys((command, ALL))]
    return {*_tops(), *(str(key) for file in files for key in file)} - {"defaults"}


def _refers(text: str, key: str) -> bool:
    """Return whether an interpolation in a text names a key."""
    return re.search(rf"\$\{{[^{{}}]*(?<![\w]){re.escape(key)}(?!\w)", text) is not None


def _unread_top(key: str, choices: Choices, known: Collection[str]) -> Iterator[str]:
    chosen = ((group, str(choice)) for group, choice in choices.items() if group.partition("/")[0].partition("@")[0] == key)
    if sentence := next(filter(None, (misnamed_group(group, choice) for group, choice in chosen)), None):
        yield sentence
    elif said := _set_by(key, choices):
        yield f"{said}{UserError.unknown('the configuration', key, known)}"


def _unread_inside(command: str, group: str, node: DictConfig, choices: Choices, text: str) -> Iterator[str]:
    """Yield a sentence for each unknown key of a group whose choices build nothing, as trainer. What is built tells its own."""
    if "_target_" in node:
        return
    own = _raw(conf() / f"{command}.yaml").get(group) or {}
    files = [*(conf() / group).rglob("*.yaml"), *conf().glob(f"{group}_settings.yaml")]
    known = {*own, *(key for file in files for key in (_of_group(file, group)))}
    for key in (str(key) for key in node if key not in known):
        inner = node._get_node(key)
        built = isinstance(inner, DictConfig) and not inner._is_none() and group == "logger"
        if not built and not _refers(text, f"{group}.{key}") and (said := _set_by(f"{group}.{key}", choices)):
            yield f"{said}{UserError.unknown(group, key, known - {'defaults'})}"


def _of_group(file: Path, group: str) -> Collection[str]:
    """Return the keys of a group that one of csrgan's own files sets."""
    loaded = _raw(file)
    says = PACKAGE.search(file.read_text(encoding="utf-8"))
    return [str(key) for key in (loaded.get(group) or {} if says and says[1] == "_global_" else loaded)]


def _raw(file: Path) -> Settings:
    return contents(cast(DictConfig, OmegaConf.load(file)), resolve=False)


def _set_by(place: str, choices: Choices) -> str:
    """Return which file of the user's sets a key, as the beginning of a sentence; empty if none is found."""
    for name, choice in choices.items():
        group = name.partition("@")[0]
        for file in (folder / group / f"{choice}.yaml" for folder in search.folders()):
            if file.is_file() and _sets(file, group, place):
                return f"{relative(file)} sets {place}, which nothing reads: "
    return ""


def _sets(file: Path, group: str, place: str) -> bool:
    says = PACKAGE.search(file.read_text(encoding="utf-8"))
    package = says[1].replace("_group_", group.replace("/", ".")) if says else group.replace("/", ".")
    if package != "_global_":
        inner = place.removeprefix(f"{package}.")
        return f"{package}.".startswith(f"{place}.") or (inner != place and inner in OmegaConf.load(file))
    return OmegaConf.select(OmegaConf.load(file), place, throw_on_resolution_failure=False) is not None
