"""Faults in a single override of a value: an unknown key, or a value of another type than the default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeGuard

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csrgan.config.arguments import of_source
from csrgan.config.check import Rules, value_faults
from csrgan.config.folder import groups
from csrgan.config.paths import LISTS, is_literal
from csrgan.config.written import advice, comma_fault, with_advice
from csrgan.errors import UserError

AT_MOST = 3  # settings of the same name that are proposed

KEY = re.compile(r"[+~]*[A-Za-z_][\w-]*([./@:]+[\w-]+)*", re.ASCII)

# A folder may replace whatever the choice of data names here.
SOURCES = (["data", "train"], ["data", "valid"])
# Each object in these may be switched off by false or null.
SWITCHED_GROUPS = ("logger", "callbacks")
SWITCHED = tuple([group] for group in SWITCHED_GROUPS)


# What is added by a yaml file of its own, and how that file is chosen.
BY_FILE = {
    "callbacks": ("a callback", "callbacks/KIND/NAME", "is added with +callbacks/KIND=NAME"),
    "factor": ("a factor of the degradation", "factor/KIND/NAME", "is added with +factor/KIND=NAME"),
    "logger": ("a logger", "logger/NAME", "is chosen with logger=NAME, or beside others with logger=[csv,NAME]"),
    "loss": ("a loss term", "loss/KIND/NAME", "is added with +loss/KIND=NAME"),
    "metric": ("a metric", "metric/NAME", "needs no choice: every evaluation computes it"),
}


def not_added(key: str) -> str | None:
    """Return a sentence about a key of what a user's file adds, if it was not added; None for any other key."""
    parts = key.split(".")
    for depth in range(len(parts), 1, -1):
        place, group = ".".join(parts[:depth]), "/".join(parts[:depth])
        if choices := [file.stem for file in dict(groups()).get(group, ())]:
            others = f" (its choices: {', '.join(choices)})" if len(choices) > 1 else ""
            return f"{key}: there is no {place} before it is added: add it with +{group}={choices[0]}{others}."
    return None


def by_file(key: str) -> str:
    """Return a sentence about a key that would make, word by word, what only a file makes."""
    if sentence := not_added(key):
        return sentence
    thing, file, chosen = BY_FILE[key.partition(".")[0]]
    return (
        f"{key} is not a setting that anything reads: {thing} has a yaml file with its _target_, conf/{file}.yaml in a package of"
        f" yours or {file}.yaml in --config-dir=FOLDER, and {chosen}."
    )


def _is_open(base: DictConfig, path: list[str]) -> bool:
    """Return whether a path leads to a plain mapping that a callback or logger gets as an argument: its keys are the user's own."""
    nodes = [OmegaConf.select(base, ".".join(path[:depth])) for depth in range(2, len(path) + 1)]
    return path[0] in SWITCHED_GROUPS and len(nodes) > 1 and "_target_" in nodes[0] and "_target_" not in nodes[-1]


def _takes(base: DictConfig, path: list[str], depth: int) -> bool:
    """Return whether the key, without a part below it, is an argument that its class takes and its yaml file leaves out."""
    above = OmegaConf.select(base, ".".join(path[:depth])) if depth else None
    target = above.get("_target_") if isinstance(above, DictConfig) else None
    if depth != len(path) - 1 or not isinstance(target, str):
        return False
    arguments = of_source(target)  # None: only the imported class tells, and `build` asks it
    return arguments is None or arguments.others or path[depth] in arguments.names


def override_faults(base: DictConfig, override: Override, declared: Rules) -> Iterator[str]:
    """Yield the faults of one override: in its key, or in the type or range of its value or values. declared: the rules of the
    configuration."""
    for word in single(override):
        value: object = _swept(word) if override.is_sweep_override() else override.value()
        sentences = list(_value_fault(base, override, word))
        key = str(override.key_or_group)
        text = (word if override.is_sweep_override() else str(override.input_line)).partition("=")[2]
        found = sentences or (_reference_fault(base, key, value) if _refers(value) else value_faults(value, declared, key))
        yield from found if takes_list(base, key) else (with_advice(sentence, key, text) for sentence in found)


def several_fault(base: DictConfig, override: Override) -> Iterator[str]:
    """Yield a fault for an override that holds several values, as a sweep has them, where one run is asked for."""
    if not override.is_sweep_override():
        return
    key, value = override.get_key_element(), str(override.input_line).partition("=")[2]
    name = str(override.key_or_group)
    listed = (
        f", or write {key}=[{value}] for a list" if takes_list(base, name) and isinstance(override.value(), ChoiceSweep) else ""
    )
    yield f"{override.input_line} holds several values: add -m to run once for each{listed}."


def double_fault(override: Override) -> Iterator[str]:
    """Yield a fault for a sweep's values of which two are equal: their jobs would be equal too."""
    seen: dict[str, str] = {}
    for word in single(override) if isinstance(override.value(), ChoiceSweep) else ():
        if first := seen.get(plain_number(word)):
            yield f"{override.input_line} names {first} twice: leave one of the two out, for their jobs would be equal."
            return
        seen[plain_number(word)] = word.partition("=")[2]


def plain_number(word: str) -> str:
    """Return a word in which a number is written in the shortest way, so that words with equal numbers are equal. What names a
    choice or a path, or is a text, stays."""
    key, _, text = word.partition("=")
    value = _number(text)
    if "/" in key or is_literal(key.lstrip("+")) or isinstance(value, bool | str | None):
        return word
    return f"{key}={int(value) if isinstance(value, float) and value.is_integer() else value}"


def takes_list(base: DictConfig, key: str) -> bool:
    """Return whether a key takes a list, so that none of several values is one for it."""
    return key in (*LISTS, *SWITCHED_GROUPS[:1]) or OmegaConf.is_list(node_of(base, key))


def node_of(base: DictConfig, key: str) -> object:
    """Return what a key holds; None if it does not exist or refers to what cannot be resolved."""
    return OmegaConf.select(base, key, throw_on_resolution_failure=False)


def _value_fault(base: DictConfig, override: Override, word: str) -> Iterator[str]:
    """Yield a fault for a key that does not exist, or a value of another type than the default."""
    if override.is_delete():
        yield f"{override.input_line} deletes a setting that is read: set another value, or the choice none."
        return
    path = str(override.key_or_group).split(".")
    node: Any = base
    for depth, key in enumerate(path):
        names = list(node) if OmegaConf.is_dict(node) else []
        if key not in names:
            unknown = not_added(".".join(path)) if depth == 1 else None
            unknown = unknown or unknown_key(node, ".".join(path[:depth]), key, _kinds(path[0]) if depth == 1 else ())
            yield from _added_fault(base, path, depth, unknown) if override.is_add() else [unknown]
            return
        node = node._get_node(key)
        if depth < len(path) - 1 and not OmegaConf.is_dict(node):
            yield from _inside_fault(override, path, depth, empty=node is None or node._is_none())
            return
        if depth < len(path) - 1:
            continue
        if override.is_add() and not override.is_force_add():
            yield f"{override.input_line}: {'.'.join(path)} exists already, and is set without the +."
            return
        if path in SOURCES or (path[:-1] in SWITCHED and word.split("=", 1)[1].lower() in ("false", "null")):
            return
        if OmegaConf.is_dict(node) and not word.split("=", 1)[1].startswith(("{", "$")):
            group, choice = "/".join(path), word.split("=", 1)[1]
            exists = any(name == group and file.stem == choice for name, files in groups() for file in files)
            other = f", or choose another with {group}={choice}" if exists else ""
            yield f"{'.'.join(path)} holds several settings ({', '.join(node)}); set one of them{other}."
            return
        default = node if OmegaConf.is_config(node) else node._value()
        value = _swept(word) if override.is_sweep_override() else override.value()
        if not _refers(value):
            yield from _type_fault(".".join(path), default, value)


def _inside_fault(override: Override, path: list[str], depth: int, *, empty: bool) -> Iterator[str]:
    """Yield a fault for a key inside a single value. empty: it is null, in whose place an object may come, its class first."""
    value, rest = ".".join(path[: depth + 1]), path[depth + 1 :]
    if not empty:
        yield f"{value} is a single value; it has no {rest[0]}."
    elif not override.is_add() or rest != ["_target_"]:
        yield f"{value} is null, and has no {rest[0]} unless a class is named first, as in +{value}._target_=PACKAGE.CLASS."


def _kinds(group: str) -> list[str]:
    """Return the kinds of a group that a user's files may add, as in loss/KIND."""
    return [name.partition("/")[2] for name, _ in groups() if name.startswith(f"{group}/")]


def unknown_key(node: Any, place: str, key: str, others: Iterable[str] = ()) -> str:
    """Return a sentence about a key that a mapping does not have: a key further inside may be meant. others: more choices."""
    names = {*map(str, node if OmegaConf.is_dict(node) else ()), *others}
    inner = dict(_inner_keys(node, place))
    near = get_close_matches(key, [*names, *inner.values()] if place else names, n=1, cutoff=0.4)
    wanted = key if key in inner.values() else near[0] if near and near[0] not in names else None
    meant = [path for path, name in inner.items() if name == wanted]
    if not 0 < len(meant) <= AT_MOST:
        return str(UserError.unknown(place or "the configuration", key, names))
    return (
        f"{place or 'the configuration'} has no {key}. Its choices: {', '.join(sorted(names))}. Did you mean {' or '.join(meant)}?"
    )


def _inner_keys(node: Any, place: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of each setting below the keys of a mapping."""
    for key in node if OmegaConf.is_dict(node) else ():
        inner, path = node._get_node(key), f"{place}.{key}".lstrip(".")
        if OmegaConf.is_dict(inner):
            yield from _inner_keys(inner, path, depth + 1)
        elif depth and not str(key).startswith("_"):
            yield path, str(key)


def _added_fault(base: DictConfig, path: list[str], depth: int, unknown: str) -> Iterator[str]:
    """Yield a fault for a key that a + adds, unless it is the user's own. depth: of its first part that does not exist."""
    if unknown == not_added(".".join(path)):
        yield unknown
    elif depth == 1 and path[0] in BY_FILE:
        yield by_file(".".join(path))
    elif not _is_open(base, path[:depth]) and not _takes(base, path, depth):
        yield f"+{'.'.join(path)} is not a setting that anything reads. {unknown}"


def _type_fault(place: str, default: object, value: object) -> Iterator[str]:
    value = _number(value) if isinstance(value, str) else value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            yield f"{place}={value} is neither true nor false."
    elif isinstance(default, ListConfig):
        if not isinstance(value, list):
            yield f"{place}={value} is not a list: write {place}=[{value}]."
    elif isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            yield f"{place}={value} is not a number."
        elif isinstance(default, int) and isinstance(value, float) and not value.is_integer():
            yield f"{place}={value} is not a whole number."


def _refers(value: object) -> TypeGuard[str]:
    """Return whether a value is an interpolation; its value is known only once all is composed."""
    return isinstance(value, str) and "${" in value


def _reference_fault(base: DictConfig, key: str, value: str) -> Iterator[str]:
    """Yield a fault for an interpolation of a key that does not exist."""
    node = OmegaConf.create({"value": value})
    node._set_parent(base)
    try:
        OmegaConf.select(node, "value")
    except OmegaConfBaseException as reason:
        yield f"{key}={value}: {first_line(reason)}."


def _number(text: str) -> bool | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def _swept(word: str) -> object:
    """Return one value of a sweep, which may be a list."""
    text = word.split("=", 1)[1]
    return OverridesParser.create().parse_override(f"value={text}").value() if text.startswith(("[", "{")) else _number(text)


def single(override: Override) -> Iterator[str]:
    """Yield an override as key=value words: one or, for a sweep, one per value; for an interval, its two ends."""
    name = override.get_key_element()
    interval = override.value()
    if isinstance(interval, IntervalSweep):
        yield from (f"{name}={end:.12g}" for end in (interval.start, interval.end))
    elif override.is_sweep_override():
        for value in override.sweep_string_iterator():
            yield f"{name}={value}"
    else:
        yield f"{name}={override.get_value_element_as_str()}"


def first_line(reason: BaseException) -> str:
    return re.sub(r"\s+", " ", str(reason).strip().split("\n")[0])


def unreadable(word: str, reason: Exception, *, torn: bool = False) -> str:
    """Return a sentence for a word that Hydra cannot parse. Hydra's own message is about its lexer or its functions. torn: whether
    a word without a key follows."""
    key, _, value = word.partition("=")
    within = re.search(r"while evaluating '.*?': (.*)", str(reason))
    sentence = within[1] if within else str(reason) if not isinstance(reason, HydraException) else ""
    if not KEY.fullmatch(key):
        return f"{word}: {key} is no key; a key is letters, digits and _ with dots between them, as in data.train."
    if comma := comma_fault(word, torn=torn):
        return comma
    if said := advice(key, value):
        return f"{word} is no number: {said}."
    if sentence and re.match(r"\w+\(", value):
        return f"{word}: {value.partition('(')[0]}() does not take this: {sentence.rstrip('.')}."
    return f"{word} is no override of the form key=value: text with special characters needs quotes, as in {key}='\"TEXT\"'."
