"""Hydra's and OmegaConf's errors, each told in one plain sentence with the valid choices and the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from csrgan.config.folder import conf, groups
from csrgan.fault import Fault

# What Hydra finds in packages of their own, and the package.
PLUGINS = {
    "hydra/launcher": {
        "joblib": "hydra-joblib-launcher",
        "submitit_local": "hydra-submitit-launcher",
        "submitit_slurm": "hydra-submitit-launcher",
    },
    "hydra/sweeper": {"optuna": "hydra-optuna-sweeper"},
}

# The parts that a system may be put together from.
PARTS = ("generator", "output", "parameter_head", "condition", "upsampling", "discriminator")

# A folder may take the place of whatever the choice of data names here.
SOURCES = (["data", "train"], ["data", "valid"])

# Errors of sweepers and launchers, by the type or the words that tell them, and what they mean to a user.
SWEEPS = {
    "BasicSweeper does not support": "interval() and tag() are for a guided search: add hydra/sweeper=optuna.",
    "No trials are completed yet": "no trial of the search is complete; job.json in each one's folder says why.",
    "TerminatedWorkerError": "a process that ran jobs was killed; the same command runs what is missing.",
    "UncompletedJobError": "a process that ran jobs was killed; the same command runs what is missing.",
}


def examine(command: str, arguments: Sequence[str]) -> None:
    """Raise Fault for the overrides of a command that cannot be composed, all of them in one message.

    Nothing heavy is imported. Sweeps are examined choice by choice.
    """
    overrides = [word for word in arguments if not word.startswith("-")]
    with initialize_config_dir(str(conf()), version_base="1.3", job_name=command):
        faults = list(dict.fromkeys(_faults(command, overrides)))
    if faults:
        raise Fault("\n".join(faults))


def _faults(command: str, words: Sequence[str]) -> Iterator[str]:
    parsed, faults = _parsed(words)
    yield from faults
    known = {name: [file.stem for file in files] for name, files in groups()}
    broken = list(_choice_faults(parsed, known))
    yield from broken
    if broken:
        return
    chosen = [override for override in parsed if _group(override, known)]
    base = _compose(command, [next(_single(override)) for override in chosen])
    yield from _unused(base, parsed)
    for override in parsed:
        if override not in chosen and not str(override.key_or_group).startswith(("hydra.", "hydra/")):
            for word in _single(override):
                yield from _value_fault(base, override, word)


def _parsed(words: Sequence[str]) -> tuple[list[Override], list[str]]:
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    parsed, faults = [], []
    for word in words:
        if "=" not in word and not word.startswith("~"):
            faults.append(f"{word} is no setting: a setting is given as key=value.")
            continue
        try:
            parsed += parser.parse_overrides([word])
        except OverrideParseException as reason:
            faults.append(f"{word} is no override of the form key=value: {_first_line(reason)}")
    return parsed, faults


def _choice_faults(parsed: Sequence[Override], known: dict[str, list[str]]) -> Iterator[str]:
    for override in parsed:
        group = _group(override, known)
        if group:
            named = list(_choices(override))
            if not named:
                yield f"{override.input_line} is none of {group}'s choices: {', '.join(known[group])}."
            for choice in named:
                if choice not in known[group]:
                    yield str(Fault.unknown(group, choice, known[group]))
        elif override.key_or_group in PLUGINS:
            yield from _plugin_fault(override.key_or_group, str(override.input_line).partition("=")[2])


def _unused(base: DictConfig, parsed: Sequence[Override]) -> Iterator[str]:
    """Overrides of parts that the chosen system has not."""
    if "system" not in base:
        return
    used, found = {"system"}, set[str]()
    while used - found:
        name = next(iter(used - found))
        found.add(name)
        node = base.get(name) if name == "system" or OmegaConf.is_config(base._get_node(name)) else None
        text = OmegaConf.to_yaml(node) if OmegaConf.is_config(node) else ""
        used |= {part for part in PARTS if f"${{{part}" in text}
    for override in parsed:
        part = str(override.key_or_group).split(".")[0]
        if part in PARTS and part not in found:
            system = base.system._target_.rpartition(".")[2]
            yield f"{override.input_line} changes nothing: {system} has no {part} of this kind to choose."


def _compose(command: str, words: list[str]) -> DictConfig:
    try:
        return compose(command, words, return_hydra_config=False)
    except (HydraException, OmegaConfBaseException) as reason:
        missing = re.search(r"'(hydra/\w+)/(\w+)'", str(reason))
        if missing:
            raise Fault("\n".join(_plugin_fault(*missing.groups()))) from None
        trained = re.search(r"In 'system/(\w+)': Could not override", str(reason))
        if trained:
            raise Fault(f"system={trained[1]} is trained: name its run as checkpoint=RUN, without system.") from None
        raise Fault(f"the configuration cannot be composed: {_first_line(reason)}") from None


def _plugin_fault(group: str, choice: str) -> Iterator[str]:
    """A sweeper or launcher that Hydra does not find; Hydra itself says it in many lines."""
    found = GlobalHydra.instance().config_loader().get_group_options(group)
    if choice not in found and choice in PLUGINS[group]:
        yield f"{group}={choice} needs {PLUGINS[group][choice]}, which is not installed: pip install {PLUGINS[group][choice]}."
    elif choice not in found:
        yield str(Fault.unknown(group, choice, {*found, *PLUGINS[group]}))


def _value_fault(base: DictConfig, override: Override, word: str) -> Iterator[str]:
    """A key that does not exist, or a value of another kind than the default's."""
    path = str(override.key_or_group).split(".")
    here: Any = base
    for depth, key in enumerate(path):
        names = list(here) if OmegaConf.is_dict(here) else []
        if key not in names:
            place = ".".join(path[:depth]) or "the configuration"
            if override.is_add():
                yield f"+{'.'.join(path)} is not a setting that anything reads. {Fault.unknown(place, key, names)}"
            else:
                yield str(Fault.unknown(place, key, names))
            return
        here = here._get_node(key)
        if depth < len(path) - 1 and not OmegaConf.is_dict(here):
            yield f"{'.'.join(path[: depth + 1])} is a single value; it has no {path[depth + 1]}."
            return
        if depth < len(path) - 1:
            continue
        if path in SOURCES:
            return
        if OmegaConf.is_dict(here) and not word.split("=", 1)[1].startswith(("{", "$")):
            yield f"{'.'.join(path)} holds several settings ({', '.join(here)}); set one of them."
            return
        default = here if OmegaConf.is_config(here) else here._value()
        given = override.value() if not override.is_sweep_override() else word.split("=", 1)[1]
        yield from _kind_fault(".".join(path), default, given)


def _kind_fault(place: str, default: Any, given: Any) -> Iterator[str]:
    given = _number(given) if isinstance(given, str) else given
    if isinstance(default, bool):
        if not isinstance(given, bool):
            yield f"{place}={given} is neither true nor false."
    elif isinstance(default, int | float):
        if isinstance(given, bool) or not isinstance(given, int | float | None):
            yield f"{place}={given} is not a number."
        elif isinstance(default, int) and isinstance(given, float) and not given.is_integer():
            yield f"{place}={given} is not a whole number."


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def _group(override: Override, known: dict[str, list[str]]) -> str:
    name = str(override.key_or_group)
    return name if name in known and not override.is_delete() else ""


def _choices(override: Override) -> Iterator[str]:
    for word in _single(override):
        yield word.split("=", 1)[1].strip("'\"")


def _single(override: Override) -> Iterator[str]:
    """The override as one or, for a sweep, several plain key=value words; of an interval its two ends."""
    name = override.get_key_element()
    interval = override.value()
    if isinstance(interval, IntervalSweep):
        yield from (f"{name}={end}" for end in (interval.start, interval.end))
    elif override.is_sweep_override():
        for value in override.sweep_string_iterator():
            yield f"{name}={value}"
    else:
        yield f"{name}={override.get_value_element_as_str()}"


def _first_line(reason: Exception) -> str:
    return re.sub(r"\s+", " ", str(reason).strip().split("\n")[0])


def told(error: BaseException) -> str | None:
    """The sentence for an error of the user's making; None for a fault of csrgan's own."""
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is needed: give it as {error.full_key}=VALUE."
    if isinstance(error, InstantiationException):
        return re.sub(r"\s+", " ", str(error))
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(str(error.filename))}: {error.strerror}."
    for sign, sentence in SWEEPS.items():
        if sign in f"{type(error).__name__}: {error}":
            return sentence
    return _first_line(error) if isinstance(error, HydraException | OmegaConfBaseException) else None
