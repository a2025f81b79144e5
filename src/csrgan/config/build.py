"""From configuration to objects."""

from __future__ import annotations

from typing import Any

import yaml
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper

from csrgan.config import targets
from csrgan.config.check import check_values
from csrgan.config.folder import contents
from csrgan.config.paths import encoded
from csrgan.fault import Fault
from csrgan.tree import Settings


def plain(config: DictConfig) -> Settings:
    """The resolved configuration as plain containers. Raises Fault where a value is missing or impossible."""
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise Fault("; ".join(f"{key} is needed: give it as {key}=VALUE" for key in missing) + ".")
    settings = contents(config)
    check_values(settings)
    return settings


def as_yaml(settings: Settings) -> str:
    """Plain settings as OmegaConf writes a configuration, which cannot make one of a text that begins an interpolation."""
    return str(yaml.dump(settings, allow_unicode=True, sort_keys=False, Dumper=get_omega_conf_dumper()))


def build(node: object, place: str = "") -> Any:
    """The object that a node with `_target_` describes, and all objects inside it; an empty node is None. place: the node's key.

    Raises Fault for what may not be built, see `targets`.
    """
    targets.examine(node, place)
    try:
        return instantiate(_as_it_is(without_empty(node)), _convert_="all")
    except InstantiationException as failure:
        cause: BaseException | None = failure
        while cause is not None and not isinstance(cause, Fault):
            cause = cause.__cause__
        raise cause or failure from None


def without_empty(node: object) -> object:
    """A choice named `none` is an empty file, hence an empty mapping: None to whoever is built with it."""
    if isinstance(node, dict):
        return {key: without_empty(value) for key, value in node.items()} or None
    return node


def _as_it_is(node: object) -> object:
    """With every text such that Hydra takes it for no interpolation: all are resolved, and a folder may be called `${x}`."""
    if isinstance(node, dict):
        return {key: _as_it_is(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_as_it_is(value) for value in node]
    return encoded(encoded(node)) if isinstance(node, str) and "${" in node else node  # Hydra resolves all, and then again
