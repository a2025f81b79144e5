"""Hydra's own keys, below `hydra`, with names or values that Hydra does not take: in a word, or in a yaml file of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from hydra.conf import HydraConf
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from csrgan.config import search
from csrgan.config.location import conf
from csrgan.config.override import first_line, unknown_key
from csrgan.errors import UserError
from csrgan.files import relative

# What Hydra says of a yaml file with a key or a value that it does not take.
IN_FILE = re.compile(
    r"In '(?P<name>[^']+)': \w+ raised while composing config:\s+(?P<why>[^\n]*)(?:\s+full_key: (?P<key>\S+))?"
    r"(?:\s+object_type=(?P<kind>\w+))?"
)
SWEPT = "hydra.sweeper.params"  # where the yaml file of a sweep has its lists
KINDS = {  # what OmegaConf says of a value: what is wrong with it
    "converted to Integer": "is not a whole number",
    "converted to Float": "is not a number",
    "not a valid bool": "is neither true nor false",
    "Dict[str, str]": "stands where several keys are needed, each with its values, as in seed: 1,2",
    "not a subclass of": "stands where several keys are needed",
}


def value_fault(hydra: DictConfig, key: str, value: object) -> Iterator[str]:
    """Yield a sentence for a value of another kind than its key takes. key: dotted, with `hydra`, which exists."""
    own = deepcopy(hydra)
    try:
        with read_write(own), open_dict(own):
            OmegaConf.update(own, key.removeprefix("hydra."), value, force_add=True)
    except OmegaConfBaseException as reason:
        yield _of_value(key, value, first_line(reason))


def file_fault(reason: BaseException) -> str | None:
    """Return a sentence for what Hydra says of a yaml file that holds a key or a value of Hydra's own that it does not take; None
    where it says something else. Hydra's own sentence ends before the reason."""
    told = IN_FILE.match(str(reason))
    file = told and next((file for root in (*search.folders(), conf()) if (file := root / f"{told['name']}.yaml").is_file()), None)
    if told is None or file is None:
        return None
    key, why = told["key"] or "", told["why"]
    unknown = re.match(r"Key '(.*?)' (?:is )?not in ", why)
    line, value = _at(file, key)
    place = f"{relative(file)}{f', line {line}' if line else ''}: "
    if unknown:
        above, _, name = key.rpartition(".")
        return place + unknown_name(above, name or unknown[1], kind=told["kind"])
    written = re.search(r"value: (.*)$", why)
    return place + _of_value(key, written[1] if written else value, why)


def unknown_name(above: str, name: str, chosen: str = "", kind: str | None = None) -> str:
    """Return a sentence for a key that there is not below another of Hydra's own. chosen: the launcher or sweeper, or kind: its
    class, if known."""
    group = above.removeprefix("hydra.")
    chosen = chosen or next((each for each, node in _stored(group).items() if _class(node) == kind), "")
    if others := having(group, name):
        add = " or ".join(f"hydra/{group}={other}" for other in others)
        return f"the {group} {chosen}{' ' * bool(chosen)}has no {name}: add {add}."
    sentence = unknown_key(_known(above, chosen), above, name)
    meant = SWEPT.rpartition(".")[2]
    misplaced = name == meant and above != SWEPT.rpartition(".")[0]
    return f"{sentence.partition(' Did you mean')[0]} Did you mean {SWEPT}?" if misplaced else sentence


def having(group: str, key: str) -> list[str]:
    """Return the launchers or sweepers, of those that are installed, that have a key."""
    return sorted(name for name, node in _stored(group).items() if OmegaConf.is_dict(node) and key in map(str, node.keys()))


def _stored(group: str) -> dict[str, DictConfig]:
    stored = ConfigStore.instance().repo["hydra"].get(group, {}) if group in ("launcher", "sweeper") else {}
    return {name.removesuffix(".yaml"): entry.node for name, entry in stored.items() if name.endswith(".yaml")}


def _class(node: object) -> str:
    return str(getattr(OmegaConf.get_type(node), "__name__", ""))


def _known(place: str, chosen: str) -> object:
    """Return the keys of Hydra's own below one of them. chosen: the launcher or sweeper."""
    inner = place.removeprefix("hydra").lstrip(".")
    if stored := _stored(inner):
        return stored.get(chosen or "basic")
    root = OmegaConf.structured(HydraConf)
    return OmegaConf.select(root, inner, throw_on_missing=False) if inner else root


def _of_value(key: str, value: object, why: str) -> str:
    """Return a sentence for a value that a key does not take. why: what OmegaConf says of it."""
    if choices := re.search(r"expected one of \[(.*)\]", why):
        return str(UserError.unknown(key, str(value), choices[1].split(", ")))
    wrong = next((sentence for sign, sentence in KINDS.items() if sign in why), "")
    return f"{f'{key}=' if key else ''}{value} {wrong}." if wrong else f"{key}={value}: {why.rstrip('.')}."


def _at(file: Path, key: str) -> tuple[int, str]:
    """Return the line of a yaml file in which a key stands, counted from 1, and what is written behind it; 0 for none."""
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    found, written = 0, ""
    for part in key.split("."):
        for number, line in enumerate(lines[found:], start=found + 1):
            if match := re.match(rf"""\s*['"]?{re.escape(part)}['"]?\s*:\s*([^#]*)""", line):
                found, written = number, match[1].strip()
                break
    return found, written
