"""From configuration to objects."""

from __future__ import annotations

from functools import partial
from pkgutil import resolve_name
from typing import Any

import yaml
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper

from csrgan.config import targets
from csrgan.config.check import check_values
from csrgan.config.folder import contents
from csrgan.errors import UserError
from csrgan.tree import Settings

OWN = ("_target_", "_partial_")  # keys of a node that are none of its arguments


def checked_settings(config: DictConfig) -> Settings:
    """The resolved configuration as plain containers. Raises UserError where a value is missing or impossible."""
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise UserError("; ".join(f"{key} is needed: give it as {key}=VALUE" for key in missing) + ".")
    settings = contents(config)
    check_values(settings)
    return settings


def as_yaml(settings: Settings) -> str:
    """Plain settings as OmegaConf writes a configuration, which cannot make one of a text that begins an interpolation."""
    return str(yaml.dump(settings, allow_unicode=True, sort_keys=False, Dumper=get_omega_conf_dumper()))


def build(node: object, place: str = "") -> Any:
    """The object that a node with `_target_` describes, and all objects inside it; an empty node is None. place: the node's key.

    Raises UserError for what may not be built, see `targets`.
    """
    targets.check_targets(node, place)
    return _made(without_empty(node), place)


def _made(node: Any, place: str) -> Any:
    """Not by Hydra's instantiate: what that makes of `_partial_` examines Hydra's own rules again at every call, a tenth of a
    millisecond, and each loss term is called in each training step."""
    if isinstance(node, list | tuple):
        return [_made(value, f"{place}[{index}]") for index, value in enumerate(node)]
    if not isinstance(node, dict):
        return node
    given = {key: _made(value, f"{place}.{key}".lstrip(".")) for key, value in node.items() if key not in OWN}
    if "_target_" not in node:
        return given
    target = resolve_name(node["_target_"])
    if node.get("_partial_"):
        return partial(target, **given)
    try:
        return target(**given)
    except UserError:
        raise
    except Exception as reason:
        sentence = f"{place} cannot be built: {node['_target_']}: {type(reason).__name__}: {reason}"
        raise InstantiationException(sentence.lstrip()) from reason


def without_empty(node: object) -> object:
    """A choice named `none` is an empty file, hence an empty mapping: None to whoever is built with it."""
    if isinstance(node, dict):
        return {key: without_empty(value) for key, value in node.items()} or None
    return node
