"""Old names in a command's words and in the user's own yaml files: they are read as the new ones, with one warning each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from csrgan.config import renamed, search
from csrgan.config.renamed import CHOICES, TARGETS, UNTIL, VALUES, Report
from csrgan.errors import printable
from csrgan.tree import Settings, value_at

Choice = TypeVar("Choice")

WORD = re.compile(r"(?P<sign>\+{0,2}|~)(?P<key>[A-Za-z_][\w./@:-]*)(=(?P<value>.*))?", re.DOTALL | re.ASCII)
NAME = re.compile(r"(?<![\w./${-])[A-Za-z_][\w.]*(?![\w/-])")
PARAMS = "hydra.sweeper.params"
FOREIGN = re.compile(r"^\s*_target_:\s*(?!csrgan\.)\w", re.MULTILINE)
DEFAULT = re.compile(r"(?P<how>(?:override |optional )*)(?P<slash>/?)(?P<group>[^@]*)(?P<package>@.*)?")


class _Warnings:
    """Old names that this process has warned of. command: the one that warnings name."""

    command = "csrgan"
    names: set[str] = set()  # noqa: RUF012  # one set for the process, which has one terminal


def translate(given: Sequence[str], command: str) -> list[str]:
    """Return the words of a command with the new names, and warn once on stderr of each old one."""
    _Warnings.command, _Warnings.names = f"csrgan {command}", set()
    return [_word(word, _warn) for word in given]


def translate_silently(given: Iterable[str]) -> list[str]:
    """Return the words that a run was started with, with the new names."""
    return [_word(word, lambda *_: None) for word in given]


def _warn(old: str, new: str, where: str = "") -> None:
    if old not in _Warnings.names:
        _Warnings.names.add(old)
        sentence = f"{_Warnings.command}: {old}{where} is now called {new}; the old name works until {UNTIL}."
        print(printable(sentence), file=sys.stderr)


def _word(word: str, report: Report) -> str:
    match = WORD.fullmatch(word)
    if not match:
        return word
    sign, key, value = match["sign"], match["key"], match["value"]
    if key.startswith(f"{PARAMS}."):
        inner = _word(key.removeprefix(f"{PARAMS}.") + ("" if value is None else f"={value}"), report)
        return f"{sign}{PARAMS}.{inner}"
    new = renamed.new_key(key)
    if new != key and _is_users_own(key):
        return word
    if new != key:
        report(key, new)
    assigned = "" if value is None else f"={_value(key, value, report)}"
    return f"{sign}{new}{assigned}"


def _is_users_own(key: str) -> bool:
    """Return whether a part of the user's own, used instead of csrgan's, has a setting of this name."""
    group, _, name = key.partition(".")
    leaf = re.compile(rf"^\s*{re.escape(name.rpartition('.')[2])}\s*:", re.MULTILINE)
    files = (file for folder in search.folders() for file in folder.rglob(f"{group}/**/*.yaml"))
    return any(FOREIGN.search(text := _text(file)) and leaf.search(text) for file in files)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # whoever reads it reports the error
        return ""


def _is_users_choice(group: str, choice: str) -> bool:
    """Return whether the user has a choice of this name, which is an old name of csrgan's."""
    return any(Path(folder, group, f"{choice}.yaml").is_file() for folder in search.folders())


def _value(key: str, value: str, report: Report) -> str:
    group = key.partition("@")[0]
    if value.startswith("{") and value.endswith("}"):
        return _mapping(key, value, report)

    def new_name(match: re.Match[str]) -> str:
        name = match[0]
        if group in CHOICES:
            return _choice(name, group, report)
        if key.endswith("_target_") and name in TARGETS:
            report(name, TARGETS[name])
            return TARGETS[name]
        return str(renamed.rename_tree(name, key, report))

    if group in CHOICES or key in VALUES or key.endswith("_target_"):
        return NAME.sub(new_name, value)
    return value if Path(value[:200]).exists() else renamed.rename_references(value, report)  # an existing path is left as it is


def _mapping(key: str, value: str, report: Report) -> str:
    """Rename in `{key: value}`, which sets several settings at once."""
    try:
        settings: object = OverridesParser.create().parse_override(f"{key}={value}")._value
    except HydraException:  # the command reports it
        return value
    if not isinstance(settings, dict):
        return value
    new = _params(settings, report) if key == PARAMS else renamed.rename_tree(settings, key, report)
    return value if new == settings else Override._get_value_element_as_str(cast(Settings, new))


def _params(params: Mapping[object, object], report: Report) -> dict[object, object]:
    """Rename in the keys and values of a sweep."""
    new_params: dict[object, object] = {}
    for key, value in params.items():
        text = value.text if isinstance(value, QuotedString) else value
        name, _, new = _word(f"{key}={text}", report).partition("=")
        quoted = QuotedString(new, value.quote) if isinstance(value, QuotedString) else None
        new_params[name] = quoted or (new if isinstance(value, str) else value)
    return new_params


class OwnFiles(FileConfigSource):
    """A folder of the user's choices, read with the new names."""

    @staticmethod
    def scheme() -> str:
        return "csrgan"

    def load_config(self, config_path: str) -> ConfigResult:
        result = super().load_config(config_path)
        if OmegaConf.is_dict(result.config):
            group = config_path.removesuffix(".yaml").rpartition("/")[0]
            package = result.header.get("package") or "_group_"
            place = "" if package == "_global_" else group.replace("/", ".") if package == "_group_" else package
            old = cast(Settings, OmegaConf.to_container(result.config, resolve=False))
            where = f" in {Path(self.path, config_path).with_suffix('.yaml')}"
            new = _file(old, group, place, partial(_warn, where=where))
            result.config = result.config if new == old else OmegaConf.create(new)
        return result


def _file(old: Settings, group: str, place: str, report: Report) -> Settings:
    """Rename in a yaml file. group: the group that it belongs to. place: the key at which its contents go."""
    own = {key: value for key, value in old.items() if key != "defaults"}
    new = cast(Settings, _references(renamed.rename_tree(own, place, report), report))
    if "defaults" in old:
        new = {"defaults": [_default(entry, group, report) for entry in old["defaults"]], **new}
    sweeper = value_at(new, PARAMS.rpartition(".")[0])
    if not place and isinstance(sweeper, dict) and isinstance(sweeper.get("params"), dict):
        sweeper["params"] = _params(sweeper["params"], report)
    return new


def _references(node: object, report: Report) -> object:
    if isinstance(node, dict):
        return {key: _references(value, report) for key, value in node.items()}
    if isinstance(node, list):
        return [_references(value, report) for value in node]
    return renamed.rename_references(node, report) if isinstance(node, str) else node


def _default(entry: object, group: str, report: Report) -> object:
    """Rename in an entry of a defaults list: a file of the same group, or a group and its choice."""
    if isinstance(entry, str):
        return _choice(entry, group, report)
    if not isinstance(entry, dict):
        return entry
    new_entry: dict[object, object] = {}
    for key, value in entry.items():
        match = DEFAULT.fullmatch(str(key))
        inner = "/".join(filter(None, ("" if match["slash"] else group, match["group"]))) if match else ""
        several = isinstance(value, list)
        new_entry[key] = [_choice(one, inner, report) for one in value] if several else _choice(value, inner, report)
    return new_entry


def _choice(choice: Choice, group: str, report: Report) -> Choice | str:
    new = CHOICES.get(group, {}).get(choice) if isinstance(choice, str) else None
    if new is None or _is_users_choice(group, str(choice)):
        return choice
    report(f"{group}={choice}", f"{group}={new}")
    return new
