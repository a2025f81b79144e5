"""A configuration as plain containers: mappings, lists, texts, numbers and None, as a yaml file or a checkpoint holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What a value is, the declaration of its key says (see `declared`): it is checked before anything reads it, and not by its type.
Settings = dict[str, Any]


def value_at(tree: object, place: str) -> object:
    """What stands at a place such as data.train; None where nothing does."""
    for key in place.split("."):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
