"""The names of all keys that a configuration may have, read from the yaml files without Hydra."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import yaml

from csrgan.config.location import conf


@cache
def all_keys() -> frozenset[str]:
    """Return every key, such as `optimizer.generator.lr`, and every group and mapping that holds some."""
    keys: set[str] = set()
    for file in conf().rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        group = ".".join(file.relative_to(conf()).parent.parts)
        if "@package" not in text:  # an experiment, which only sets keys of others
            keys.update(_nested(yaml.safe_load(text), group), _above(group))
    return frozenset(filter(None, keys))


def _nested(node: object, place: str) -> Iterator[str]:
    yield place
    for key, inner in node.items() if isinstance(node, dict) else ():
        yield from _nested(inner, f"{place}.{key}".lstrip("."))


def _above(place: str) -> Iterator[str]:
    parts = place.split(".")
    yield from (".".join(parts[:count]) for count in range(1, len(parts)))
