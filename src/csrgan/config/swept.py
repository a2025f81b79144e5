"""What a sweep's yaml file and Hydra's own settings may hold: lists of values, and keys of launchers and sweepers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import yaml
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from csrgan.config import search
from csrgan.config.location import conf
from csrgan.config.override import takes_list, unknown_key
from csrgan.files import relative


def params(hydra: DictConfig, given: Collection[str]) -> dict[str, object]:
    """Return the values that a sweep's yaml file gives to keys; those of the command take their place. given: its keys."""
    found = hydra.sweeper.get("params") or {}
    return {str(key): value for key, value in found.items() if str(key).lstrip("+~") not in given}


def place(key: str, choices: Mapping[str, str]) -> str:
    """Return the file and line in which a sweep's list of values stands. choices: of each group."""
    files = [
        folder / group / f"{choices.get(group)}.yaml" for group in ("sweep", "experiment") for folder in (*search.folders(), conf())
    ]
    for file in (file for file in files if file.is_file()):
        node: yaml.Node | None = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        for name in ("hydra", "sweeper", "params"):
            _, node = _entry(node, name)
        if key_node := _entry(node, key)[0]:
            return f"{relative(file)}, line {key_node.start_mark.line + 1}"
    return "hydra.sweeper.params"


def _entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | tuple[None, None]:
    """Return the nodes of a key and of its value in a mapping of a yaml file; None if it has no such key."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((entry for entry in entries if entry[0].value == key), (None, None))


def list_fault(base: DictConfig, key: str, value: object) -> Iterator[str]:
    """Yield a sentence for values that stand in brackets: for Hydra they are one value, a list."""
    if isinstance(value, ListConfig) and not takes_list(base, key.lstrip("+")):
        values = ",".join(map(str, value))
        yield f"{key}: {list(value)} is a list, which a job would get as its one value: write {key}: {values}, without brackets."


def hydra_fault(hydra: DictConfig, override: Override) -> Iterator[str]:
    """Yield a sentence for a key of Hydra's own that does not exist, and name the launcher or sweeper that has it."""
    path = str(override.key_or_group).split(".")
    if path[0] != "hydra" or override.is_add() or override.is_delete():
        return
    node: object = hydra
    for depth, name in enumerate(path[1:], start=1):
        if not OmegaConf.is_dict(node):
            return
        assert isinstance(node, DictConfig)
        if name not in map(str, node.keys()):
            others = _having(path[1], name) if depth == 2 else []
            chosen = hydra.runtime.choices.get(f"hydra/{path[1]}")
            add = " or ".join(f"hydra/{path[1]}={other}" for other in others)
            missing = f"{override.input_line}: the {path[1]} {chosen} has no {name}: add {add}."
            yield missing if others else unknown_key(node, ".".join(path[:depth]), name)
            return
        node = node._get_node(name)


def _having(group: str, key: str) -> list[str]:
    """Return the launchers or sweepers, of those that are installed, that have a key."""
    stored = ConfigStore.instance().repo["hydra"].get(group, {})
    nodes = {name.removesuffix(".yaml"): entry.node for name, entry in stored.items() if name.endswith(".yaml")}
    return sorted(name for name, node in nodes.items() if OmegaConf.is_dict(node) and key in map(str, node.keys()))
