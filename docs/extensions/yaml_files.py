"""The yaml files of conf/ as they are written: each value with the comment beside it, and what the defaults list says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from csrgan.config.folder import conf
from csrgan.tree import Settings

OWN = ("_target_", "_partial_")  # keys of a node that are not arguments
INCLUDED = {"hydra_run": "", "logger_settings": "logger"}  # files that commands include whole, with the place of their keys


@dataclass(frozen=True)
class Leaf:
    """A value in a yaml file, or the `_target_` of a node. place: dotted, as on the command line. text: as written."""

    place: str
    text: str
    comment: str
    node: bool = False


class File:
    """A yaml file of conf/.

    name: below conf/, without its suffix. group: such as loss/image; empty for a command's own file. package: where its keys
    stand.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.group, _, self.choice = name.rpartition("/")
        self.source = self.path.read_text(encoding="utf-8")
        self.lines = self.source.split("\n")
        self.head = next(number for number, line in enumerate(self.lines) if not line.startswith("#"))
        everywhere = self.source.startswith("# @package _global_")
        self.package = "" if everywhere else self.group.replace("/", ".") or INCLUDED.get(name, "")
        self.data: Settings = yaml.safe_load(self.source) or {}
        self.defaults = [entry for entry in self.data.pop("defaults", []) if entry != "_self_"]
        root = yaml.compose(self.source)
        self.leaves = tuple(self._leaves(root, self.package)) if isinstance(root, yaml.MappingNode) else ()

    @classmethod
    @cache
    def of(cls, name: str) -> File:
        """Return the file of this name, read once."""
        return cls(name)

    @property
    def path(self) -> Path:
        return conf() / f"{self.name}.yaml"

    def bases(self) -> dict[str, str]:
        """Return the files that this one builds upon, by their places below it: {"": "data/folder"}."""
        plain = [entry.partition("@") for entry in self.defaults if isinstance(entry, str) and not entry.startswith("/")]
        return {place: f"{self.group}/{name}" for name, _, place in plain}

    def others(self) -> dict[str, str]:
        """Return the choices of other groups that this file makes, by group."""
        entries = {str(key): str(value) for entry in self.defaults if isinstance(entry, dict) for key, value in entry.items()}
        words = {key.removeprefix("override ").removeprefix("optional "): value for key, value in entries.items()}
        return {key.lstrip("/").partition("@")[0]: value for key, value in words.items()}

    def _leaves(self, parent: yaml.MappingNode, place: str) -> Iterator[Leaf]:
        for key, value in parent.value:
            inner = f"{place}.{key.value}".lstrip(".")
            if key.value in OWN or (key.value == "defaults" and key.start_mark.column == 0):
                continue
            if isinstance(value, yaml.MappingNode) and value.value:
                members = {name.value: member for name, member in value.value}
                if "_target_" in members:
                    spoken = not value.flow_style or not members.keys() - set(OWN)
                    yield Leaf(inner, members["_target_"].value, self._comment(key, key) if spoken else "", node=True)
                yield from self._leaves(value, inner)
            else:
                text = self.source[value.start_mark.index : value.end_mark.index].strip()
                yield Leaf(inner, text, self._comment(key, value, above=not parent.flow_style))

    def _comment(self, key: yaml.Node, value: yaml.Node, above: bool = True) -> str:
        """Return the comment behind a value and, for a key at the start of its line, on the lines above it."""
        first = number = key.start_mark.line
        while above and number > self.head and self.lines[number - 1].lstrip().startswith("# "):
            number -= 1
        before = [line.strip().removeprefix("# ") for line in self.lines[number:first]]
        behind = re.search(r"\s#\s+(.*)$", self.lines[value.end_mark.line][value.end_mark.column :])
        return " ".join([*before, behind[1].strip() if behind else ""]).strip()
