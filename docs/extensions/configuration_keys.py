"""Every key of conf/: its default, what it may be and what it means, each fact read from its one place.

The default is the text in the yaml file. What a value may be comes from the rule that csrgan enforces (`csrgan.config.check`);
where there is no rule, from the annotation of the constructor's argument, then from the default. The meaning is the comment beside
the key; where there is none, that of a file that this one builds upon or overrides, then the constructor's docstring.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import yaml
from hydra import compose, initialize_config_dir
from yaml_files import INCLUDED, File

from csrgan.config import settings
from csrgan.config.check import Rules, declared_rules, rule_of
from csrgan.config.folder import contents, first_line
from csrgan.config.location import conf
from csrgan.declared import Rule
from csrgan.tree import Settings, value_at

REFERENCE = re.compile(r"\$\{([\w.]+)\}")
PLAIN = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text", NoneType: "`null`"}


@dataclass(frozen=True)
class Key:
    """A key as the reference shows it. place: dotted. default: as written. values, meaning: in Markdown."""

    place: str
    default: str
    values: str
    meaning: str


@dataclass(frozen=True)
class Choice:
    """A yaml file with its keys. target: what it builds; empty: nothing of its own."""

    file: File
    what: str
    target: str
    keys: tuple[Key, ...]

    @property
    def anchor(self) -> str:
        return re.sub("[^a-z0-9]+", "-", self.file.name)


@cache
def choice(name: str) -> Choice:
    """Return what the reference shows of a yaml file. name: below conf/, without its suffix."""
    file = File.of(name)
    tree, rules = tree_of(name), rules_of(name)
    keys = []
    for leaf in file.leaves:
        values = "a class or function" if leaf.node else _values(leaf.place, leaf.text, tree, rule_of(leaf.place, rules))
        keys.append(Key(leaf.place, leaf.text, values, _meaning(leaf.place, leaf.text, leaf.node, file, tree)))
    own = value_at(tree, file.package) if file.package else file.data.get(file.group)
    target = own.get("_target_", "") if isinstance(own, dict) else ""
    return Choice(file, first_line(file.path), str(target), tuple(keys))


@cache
def rules_of(name: str) -> Rules:
    """Return the rules that csrgan enforces if this file is chosen, by key."""
    return declared_rules(tree_of(name))


def names() -> list[str]:
    """Return the name of every yaml file below conf/, without its suffix."""
    return [path.relative_to(conf()).with_suffix("").as_posix() for path in sorted(conf().rglob("*.yaml"))]


@cache
def _defaults() -> Settings:
    """Return the configuration of `csrgan train` without overrides, its interpolations as written."""
    with initialize_config_dir(str(conf()), version_base="1.3"):
        return contents(compose("train"), resolve=False)


def tree_of(name: str) -> Settings:
    """Return the defaults of `csrgan train` with this file chosen, or with a command's own keys added."""
    file, tree = File.of(name), copy.deepcopy(_defaults())
    for group, chosen in file.others().items() if file.package == "" and file.group else ():
        if (conf() / group / f"{chosen}.yaml").is_file():
            _put(tree, group.replace("/", "."), _merged(f"{group}/{chosen}"))
    if file.package and file.group:
        _put(tree, file.package, _merged(name))
        return tree
    own = _merged(name)
    if "system" in own:
        tree["system"] = {}
    return _joined(tree, own)


def _merged(name: str) -> Settings:
    """Return the contents of a file upon those of the files that it builds upon."""
    file = File.of(name)
    tree: Settings = {}
    for place, base in file.bases().items():
        inner = _merged(base)
        for key in reversed(place.split(".") if place else []):
            inner = {key: inner}
        tree = _joined(tree, inner)
    return _joined(tree, file.data)


def _joined(below: Settings, above: Settings) -> Settings:
    both = {key for key in below if isinstance(below[key], dict) and isinstance(above.get(key), dict)}
    return {**below, **above, **{key: _joined(below[key], above[key]) for key in both}}


def _put(tree: Settings, place: str, value: Settings) -> None:
    *above, last = place.split(".")
    for key in above:
        tree = tree.setdefault(key, {})
    tree[last] = value


# What a value may be.


def _values(place: str, text: str, tree: Settings, rule: Rule | None) -> str:
    """Return in words what a key may be. text: its default."""
    default = yaml.safe_load(text)
    hint = _hint(place, tree)
    if rule:
        several = isinstance(default, list) or "list" in _words(hint)
        return _of_rule(rule, several)
    if place.startswith("hydra.sweeper.params."):
        return "values to sweep over"
    if isinstance(default, str) and (reference := REFERENCE.fullmatch(default)):
        return _words(hint) or f"as `{reference[1]}`"
    if words := _words(hint, classes=True):
        return words
    if isinstance(default, list | dict):
        return "list" if isinstance(default, list) else "mapping"
    return "text or `null`" if default is None else PLAIN[type(default)]


def _of_rule(rule: Rule, several: bool = False) -> str:
    if rule.inside:
        return "mapping: " + "; ".join(f"{key if key != '*' else 'each'} {_of_rule(inner)}" for key, inner in rule.inside.items())
    if rule.choices:
        return _either([*(f"`{name}`" for name in rule.choices), *(["`null`"] if rule.none else [])])
    words = ("whole number" if rule.kind == "int" else "number") + ("s" if several or rule.length else "")
    words = f"{rule.length} {words}" if rule.length else f"list of {words}" if several else words
    return _either([words + _of_interval(rule.interval), *(["`null`"] if rule.none else [])])


def _of_interval(interval: str) -> str:
    low, high = interval[1:-1].split(",")
    if (low, high) == ("-inf", "inf"):
        return ""
    if high == "inf":
        return f" {'≥' if interval[0] == '[' else '>'} {low}"
    return f" in {interval[0]}{low}, {high}{interval[-1]}"


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _hint(place: str, tree: Settings) -> object:
    """Return the annotation of the argument that gets this key, or None."""
    above, _, key = place.rpartition(".")
    node = value_at(tree, above) if above else None
    if isinstance(node, dict) and "_target_" in node:
        return _hints(str(node["_target_"])).get(key)
    outer = _hint(above, tree) if above else settings.GROUPS.get(place)
    return get_type_hints(outer).get(key) if is_typeddict(outer) else None


@cache
def _hints(target: str) -> Mapping[str, object]:
    function = resolve_name(target)
    try:
        return get_type_hints(function.__init__ if inspect.isclass(function) else function)
    except (NameError, TypeError):  # of another package
        return {}


def _words(hint: object, classes: bool = False) -> str:
    """Return an annotation in words; empty for none, and for one that holds classes unless `classes` is true."""
    if hint in PLAIN and hint is not NoneType:
        return PLAIN[hint]
    if get_origin(hint) is Literal:
        return _either([f"`{value}`" for value in get_args(hint)])
    if get_origin(hint) in (UnionType, Union):
        words = [word for word in (_words(each, classes) for each in get_args(hint)) if word]
        return _either([*words, *(["`null`"] if NoneType in get_args(hint) else [])]) if words else ""
    if inspect.isclass(origin := get_origin(hint)) and issubclass(origin, Sequence):
        inner = _words(get_args(hint)[0]) if get_args(hint) else ""
        return f"list of {inner}s" if inner and "`" not in inner else "list"
    if classes and inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"mapping to {_words(get_args(hint)[1], classes)}"
    return f"`{hint.__name__}`" if classes and inspect.isclass(hint) and hint.__module__.startswith("csrgan.") else ""


# What a key means.


def _meaning(place: str, text: str, node: bool, file: File, tree: Settings) -> str:
    if comment := next(_comments(place, file), ""):
        comment = comment.removeprefix(f"{place.rpartition('.')[2]}: ")
        member = _of_member(place, tree)
        return f"{member} ({comment})" if member else comment
    if place.startswith("hydra.sweeper.params."):
        swept = place.removeprefix("hydra.sweeper.params.")
        return meaning_of(swept, file) or f"choices of `{swept}`"
    if node:
        return first_sentence(text)
    if reference := REFERENCE.fullmatch(text):
        return f"taken from `{reference[1]}`"
    return _of_member(place, tree) or meaning_of(place) or _of_argument(place, tree)


def _comments(place: str, file: File) -> Iterator[str]:
    """Yield the comments on a key in a file, then in those that it builds upon."""
    yield from (leaf.comment for leaf in file.leaves if leaf.place == place and leaf.comment)
    for inner, base in file.bases().items():
        below = File.of(base)
        start = ".".join(filter(None, (file.package, inner)))
        if place.startswith(start):
            yield from _comments(below.package + place.removeprefix(start), below)


@cache
def meaning_of(place: str, of: File | None = None) -> str:
    """Return the comment on a key in any file that has it; empty if there is none. The files that a training uses come first: those
    of the choices that a file makes, if one is given, then those of the defaults. In others the key may have another unit."""
    chosen = [f"{group}/{choice}" for group, choice in {**defaults(), **(of.others() if of else {})}.items()]

    def order(name: str) -> tuple[bool, bool, bool]:
        within = place.startswith(f"{File.of(name).package}.") and bool(File.of(name).package)
        return not within, name != "train", name not in chosen

    for name in sorted(names(), key=order):
        for leaf in File.of(name).leaves:
            if leaf.place == place and leaf.comment:
                return leaf.comment
    return ""


def _of_member(place: str, tree: Settings) -> str:
    """Return what a TypedDict says of its member."""
    above, _, key = place.rpartition(".")
    outer = _hint(above, tree) if above.count(".") else settings.GROUPS.get(above) or _hint(above, tree)
    return _of_docstring(inspect.getdoc(outer) or "", key) if is_typeddict(outer) else ""


def _of_argument(place: str, tree: Settings) -> str:
    """Return what the docstring of the constructor says of an argument."""
    above, _, key = place.rpartition(".")
    node = value_at(tree, above) if above else None
    target = node.get("_target_") if isinstance(node, dict) else None
    return _of_docstring(inspect.getdoc(resolve_name(target)) or "", key) if target else ""


def _of_docstring(text: str, key: str) -> str:
    """Return the sentence behind `key:` or `key, other:` in a docstring."""
    match = re.search(rf"(?:^|[.;]\s+|\n)(?:\w+, )*{key}(?:, \w+)*: (.+?)(?:\.(?:\s|$)|\n\n|$)", text, re.DOTALL)
    return re.sub(r"\s+", " ", match[1]) if match else ""


def first_sentence(target: str) -> str:
    """Return the first sentence of the docstring of what a target names, without its point."""
    paragraph = (inspect.getdoc(resolve_name(target)) or "").partition("\n\n")[0]
    text = re.sub(r"\s+", " ", paragraph)
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0].rstrip(".")


def defaults() -> dict[str, str]:
    """Return the choice that `csrgan train` makes by itself in each group."""
    return File.of("train").others()


def commands() -> list[str]:
    """Return the names of the files with a command's own keys, and of what they include."""
    return [name for name in names() if "/" not in name and name not in INCLUDED]
