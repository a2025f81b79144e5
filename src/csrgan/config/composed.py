"""Faults of a composed configuration: its folder, what is missing or impossible in it, and choices that do not go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from csrgan import rules
from csrgan.config.arguments import argument_faults
from csrgan.config.check import declared_rules, value_faults
from csrgan.config.combinations import brings_protocol, combination_faults
from csrgan.config.folder import contents
from csrgan.config.occupied import occupied_faults
from csrgan.config.optional_packages import missing_packages
from csrgan.config.override import first_line
from csrgan.config.paths import broken_interpolation, with_decoded_paths
from csrgan.config.targets import early_faults
from csrgan.errors import needed
from csrgan.tree import Settings


def folder_faults(command: str, config: DictConfig, several: bool) -> Iterator[str]:
    """Yield why a command cannot write into its run_dir. several: whether it is a sweep."""
    folder = with_decoded_paths(str(config._get_node("run_dir")))
    if several and broken_interpolation(folder):
        yield f"run_dir={folder}: a sweep cannot use a folder whose name has a ${{ that is not closed."
    if not config.get("resume"):  # a run goes on wherever it lies
        checkpoint = config._get_node("checkpoint") if command == "evaluate" else None
        scores = None if checkpoint is None or checkpoint._is_none() else Path(with_decoded_paths(str(checkpoint)))
        yield from occupied_faults(command, Path(folder), several=several, scores=scores)


def composed_faults(config: DictConfig, wrong: Collection[str], several: bool) -> Iterator[str]:
    """Yield what is missing or impossible in a composed configuration, and choices that do not go together.

    wrong: keys and groups that were not set because they have faults. several: whether the configuration is a sweep's.
    """
    with open_dict(config):
        config.run_dir = ""  # it names the time and the experiment, which Hydra resolves later
        config.setdefault("degradation", None)  # missing if a checkpoint holds it
    if "rule" in (config.get("system") or {}) and "optimizer" not in config:
        yield from rules.untrained(str(config.system._target_).rpartition(".")[2].lower(), trained=True)
        return
    ranges, absent = declared_rules(contents(config, resolve=False)), list(early_faults(contents(config, resolve=False)))
    try:
        settings = contents(config)
        missing = sorted(key for key in OmegaConf.missing_keys(config) if key not in wrong)
        faults = [
            *map(needed, missing),
            *_checkpoint_faults(config),
            *_logger_faults(config),
            *missing_packages(own_values(config)),
            *value_faults(own_values(config), ranges),
            *absent,
            *argument_faults(contents(config, resolve=False)),
        ]
    except OmegaConfBaseException as reason:
        yield f"{reason.full_key}: {first_line(reason)}."
        return
    yield from faults
    if not several and not absent and not list(value_faults(settings, ranges)):
        yield from combination_faults(settings, wrong)


def _checkpoint_faults(config: DictConfig) -> Iterator[str]:
    """Yield what csrgan evaluate and restore need if they are given no checkpoint."""
    if "checkpoint" in config:
        given = config.checkpoint is not None, bool(config.get("system")), bool(config.get("degradation"))
        if config.get("results") is not None:
            pairs = bool(config.data.get("pairs"))
            yield from rules.given_results(str(config.results), other=any(given[:2]), degradation=given[2], pairs=pairs)
            return
        if not brings_protocol(contents(config, resolve=False).get("system")):
            yield from rules.checkpoint_or_system(*given, restores="evaluation" not in config)


def _logger_faults(config: DictConfig) -> Iterator[str]:
    if "_target_" in (config.get("logger") or {}):
        yield f"logger: a logger needs a name in its yaml file, as in mine: {{_target_: {config.logger._target_}}}."


def own_values(config: DictConfig) -> Settings:
    """Return a configuration without interpolations, so that a fault is reported only at the key where it was made."""
    names = [str(name) for name in config]
    own = [name for name in names if not OmegaConf.is_interpolation(config, name) and not OmegaConf.is_missing(config, name)]
    return {name: own_values(config[name]) if OmegaConf.is_dict(config[name]) else _plain(config[name]) for name in own}


def _plain(value: object) -> object:
    return OmegaConf.to_container(value, resolve=True) if isinstance(value, DictConfig | ListConfig) else value
