"""Build objects from the configuration."""

from __future__ import annotations

from functools import partial
from pkgutil import resolve_name
from typing import Any

import yaml
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper

from csrgan.config import own_code, targets
from csrgan.config.arguments import OWN, node_faults, of_object
from csrgan.config.check import check_values
from csrgan.config.folder import contents
from csrgan.errors import UserError, needed, raise_faults
from csrgan.tree import Settings


def checked_settings(config: DictConfig) -> Settings:
    """Return the resolved configuration in plain containers. Raises UserError if a value is missing or impossible."""
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise UserError("; ".join(needed(key).rstrip(".") for key in missing) + ".")
    settings = contents(config)
    check_values(settings)
    return settings


def as_yaml(settings: Settings) -> str:
    """Return plain settings as yaml in OmegaConf's style. OmegaConf itself fails on a text that looks like an interpolation."""
    return str(yaml.dump(settings, allow_unicode=True, sort_keys=False, Dumper=get_omega_conf_dumper()))


def build(node: object, place: str = "", *, keep_empty: bool = False) -> Any:
    """Build the object that a node with `_target_` describes, and all objects inside it; an empty node gives None.

    place: the node's key. keep_empty: an empty mapping is one, as in the arguments of a user's callback.
    Raises UserError for a target that may not be built, see `targets`.
    """
    targets.check_targets(node, place)
    return _build(node if keep_empty else without_empty(node), place)


def _build(node: object, place: str) -> Any:
    """Build without Hydra's instantiate: its partial objects check Hydra's rules again at every call, which takes 0.1 ms, and each
    loss term is called in each training step."""
    if isinstance(node, list | tuple):
        return [_build(value, f"{place}[{index}]") for index, value in enumerate(node)]
    if not isinstance(node, dict):
        return node
    arguments = {key: _build(value, f"{place}.{key}".lstrip(".")) for key, value in node.items() if key not in OWN}
    if "_target_" not in node:
        return arguments
    target, place = resolve_name(node["_target_"]), targets.as_given(place)
    raise_faults(node_faults(node, place, of_object(target)))
    if node.get("_partial_"):
        return partial(target, **arguments)
    try:
        return target(**arguments)
    except UserError:
        raise
    except Exception as reason:
        if own_error := own_code.at_construction(reason, place, node["_target_"]):
            raise own_error from reason
        sentence = f"{place} cannot be built: {node['_target_']}: {type(reason).__name__}: {reason}"
        raise InstantiationException(sentence.lstrip()) from reason


def without_empty(node: object) -> object:
    """Replace each empty mapping by None: a choice named `none` is an empty file, and a constructor gets None for it."""
    if isinstance(node, dict):
        return {key: without_empty(value) for key, value in node.items()} or None
    return node
