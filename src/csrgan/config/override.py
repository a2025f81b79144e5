"""What one override of a value may not say: a key that is not there, or a value of another kind than the default's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csrgan.config.check import Rules, value_faults
from csrgan.errors import UserError

KEY = re.compile(r"[+~]*[A-Za-z_][\w-]*([./@:]+[\w-]+)*", re.ASCII)

# A folder may take the place of whatever the choice of data names here.
SOURCES = (["data", "train"], ["data", "valid"])
# Where each object may be switched off by false or null.
SWITCHED = (["logger"], ["callbacks"])


def override_faults(base: DictConfig, override: Override, known: Rules) -> Iterator[str]:
    """What is wrong with an override by itself: its key, or the kind or the range of its value or values. known: the rules
    of the configuration."""
    for word in single(override):
        value: object = _number(word.split("=", 1)[1]) if override.is_sweep_override() else override.value()
        sentences = list(_value_fault(base, override, word))
        key = str(override.key_or_group)
        yield from sentences or (_reference_fault(base, key, value) if _refers(value) else value_faults(value, known, key))


def _value_fault(base: DictConfig, override: Override, word: str) -> Iterator[str]:
    """A key that does not exist, or a value of another kind than the default's."""
    if override.is_delete():
        yield f"{override.input_line} takes away what is read: set another value, or the choice none."
        return
    path = str(override.key_or_group).split(".")
    here: Any = base
    for depth, key in enumerate(path):
        names = list(here) if OmegaConf.is_dict(here) else []
        if key not in names:
            place = ".".join(path[:depth]) or "the configuration"
            if override.is_add():
                yield f"+{'.'.join(path)} is not a setting that anything reads. {UserError.unknown(place, key, names)}"
            else:
                yield str(UserError.unknown(place, key, names))
            return
        here = here._get_node(key)
        if depth < len(path) - 1 and not OmegaConf.is_dict(here):
            yield f"{'.'.join(path[: depth + 1])} is a single value; it has no {path[depth + 1]}."
            return
        if depth < len(path) - 1:
            continue
        if override.is_add() and not override.is_force_add():
            yield f"{override.input_line}: {'.'.join(path)} is there already, and is set without the +."
            return
        if path in SOURCES or (path[:-1] in SWITCHED and word.split("=", 1)[1].lower() in ("false", "null")):
            return
        if OmegaConf.is_dict(here) and not word.split("=", 1)[1].startswith(("{", "$")):
            yield f"{'.'.join(path)} holds several settings ({', '.join(here)}); set one of them."
            return
        default = here if OmegaConf.is_config(here) else here._value()
        given = override.value() if not override.is_sweep_override() else word.split("=", 1)[1]
        if not _refers(given):
            yield from _kind_fault(".".join(path), default, given)


def _kind_fault(place: str, default: object, given: object) -> Iterator[str]:
    given = _number(given) if isinstance(given, str) else given
    if isinstance(default, bool):
        if not isinstance(given, bool):
            yield f"{place}={given} is neither true nor false."
    elif isinstance(default, ListConfig):
        if not isinstance(given, list):
            yield f"{place}={given} is not a list, as {list(default)} is."
    elif isinstance(default, int | float):
        if isinstance(given, bool) or not isinstance(given, int | float | None):
            yield f"{place}={given} is not a number."
        elif isinstance(default, int) and isinstance(given, float) and not given.is_integer():
            yield f"{place}={given} is not a whole number."


def _refers(value: object) -> TypeGuard[str]:
    """Whether a value is taken from elsewhere; what it is shows when all is composed."""
    return isinstance(value, str) and "${" in value


def _reference_fault(base: DictConfig, key: str, value: str) -> Iterator[str]:
    """A value that is taken from where nothing is."""
    asked = OmegaConf.create({"value": value})
    asked._set_parent(base)
    try:
        OmegaConf.select(asked, "value")
    except OmegaConfBaseException as reason:
        yield f"{key}={value}: {first_line(reason)}."


def _number(text: str) -> bool | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def single(override: Override) -> Iterator[str]:
    """The override as one or, for a sweep, several plain key=value words; of an interval its two ends."""
    name = override.get_key_element()
    interval = override.value()
    if isinstance(interval, IntervalSweep):
        yield from (f"{name}={end:.12g}" for end in (interval.start, interval.end))
    elif override.is_sweep_override():
        for value in override.sweep_string_iterator():
            yield f"{name}={value}"
    else:
        yield f"{name}={override.get_value_element_as_str()}"


def first_line(reason: Exception) -> str:
    return re.sub(r"\s+", " ", str(reason).strip().split("\n")[0])


def unreadable(word: str, reason: Exception) -> str:
    """A sentence for a word that Hydra cannot parse; it speaks of lexers, or of what happened in one of its functions."""
    key, _, value = word.partition("=")
    within = re.search(r"while evaluating '.*?': (.*)", str(reason))
    sentence = within[1] if within else str(reason) if not isinstance(reason, HydraException) else ""
    if not KEY.fullmatch(key):
        return f"{word}: {key} is no key; a key is letters, digits and _ with dots between them, as in data.train."
    if sentence and re.match(r"\w+\(", value):
        return f"{word}: {value.partition('(')[0]}() does not take this: {sentence.rstrip('.')}."
    return f"{word} is no override of the form key=value: a text with signs in it stands in quotes, as in {key}='\"TEXT\"'."
