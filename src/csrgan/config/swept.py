"""What a sweep's yaml file and Hydra's own settings may hold: lists of values, and keys of launchers and sweepers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import yaml
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from csrgan.config import search
from csrgan.config.hydras_own import SWEPT, having, unknown_name, value_fault
from csrgan.config.location import conf
from csrgan.config.override import takes_list, unknown_key
from csrgan.files import relative

QUOTES = "\"'"


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
    return SWEPT


def _entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | tuple[None, None]:
    """Return the nodes of a key and of its value in a mapping of a yaml file; None if it has no such key."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((entry for entry in entries if entry[0].value == key), (None, None))


def list_fault(base: DictConfig, key: str, value: object) -> Iterator[str]:
    """Yield a sentence for values that stand in brackets: for Hydra they are one value, a list; or below a part of their key."""
    if isinstance(value, Mapping | DictConfig):
        inner, values = next(iter(value.items()), ("KEY", "ONE,OTHER"))
        yield f"{key}: a key that is swept stands in one piece: write {key}.{inner}: {values}."
    if isinstance(value, ListConfig) and not takes_list(base, key.lstrip("+")):
        values = ",".join(map(str, value))
        yield f"{key}: {list(value)} is a list, which a job would get as its one value: write {key}: {values}, without brackets."


def unasked(hydra: DictConfig, given: Collection[str]) -> Iterator[str]:
    """Yield a sentence if there are values for a sweep where nothing asks for one: one run would leave them out without a word.
    given: keys of the command."""
    lists = params(hydra, given)
    file, _, line = place(next(iter(lists)), hydra.runtime.choices).partition(", line ") if lists else ("", "", "")
    if line:
        yield (
            f"{file} gives values to a sweep ({', '.join(lists)}), but nothing asks for one: add mode: MULTIRUN below hydra: in the"
            " file, or -m to the command (hydra.mode=RUN trains once, without them)."
        )


def hydra_fault(hydra: DictConfig, override: Override) -> Iterator[str]:
    """Yield a sentence for a key of Hydra's own that does not exist, and name the launcher or sweeper that has it, or for a value
    of another kind than the key takes."""
    key = str(override.key_or_group)
    if f"{key}.".startswith(f"{SWEPT}.") and key.removeprefix(f"{SWEPT}.") not in (hydra.sweeper.get("params") or {}):
        yield _values_elsewhere(override)
        return
    path = key.split(".")
    if path[0] != "hydra" or override.is_add() or override.is_delete():
        return
    node: object = hydra
    for depth, name in enumerate(path[1:], start=1):
        if not OmegaConf.is_dict(node):
            return
        assert isinstance(node, DictConfig)
        if name not in map(str, node.keys()):
            others = depth == 2 and having(path[1], name)
            chosen = str(hydra.runtime.choices.get(f"hydra/{path[1]}"))
            missing = f"{override.input_line}: {unknown_name('.'.join(path[:depth]), name, chosen)}" if others else ""
            yield missing or unknown_key(node, ".".join(path[:depth]), name)
            return
        node = node._get_node(name)
    if not override.is_sweep_override():
        yield from value_fault(hydra, key, override.value())


def _values_elsewhere(override: Override) -> str:
    """Return a sentence for a word of a command that gives values to a sweep where only its yaml file may."""
    key, value = str(override.key_or_group).removeprefix(SWEPT).lstrip("."), override._value
    text = str(override.input_line).partition("=")[2]
    members = value if isinstance(value, dict) else {key: text} if key and text else {"KEY": "ONE,OTHER"}
    words = " ".join(f"{name}={str(values).strip(QUOTES)}" for name, values in members.items())
    return f"{override.input_line}: a command gives values to a sweep by their own keys: write -m {words}."
