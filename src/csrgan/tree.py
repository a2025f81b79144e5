"""A configuration as plain containers: mappings, lists, texts, numbers and None, as a yaml file or a checkpoint holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The declaration of a key says what its value may be (see `declared`). It, and not the type, is checked before anything reads it.
Settings = dict[str, Any]


def value_at(tree: object, place: str) -> object:
    """Return the value at a dotted key such as data.train; None if there is none."""
    for key in place.split("."):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
