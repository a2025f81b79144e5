"""Old names in the words of a command and in a user's own yaml files: they are read as the new ones, and each is told once."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from csrgan.config import renamed, search
from csrgan.config.renamed import CHOICES, TARGETS, UNTIL, VALUES, Report
from csrgan.errors import printable

WORD = re.compile(r"(?P<sign>\+{0,2}|~)(?P<key>[A-Za-z_][\w./@:-]*)(=(?P<value>.*))?", re.DOTALL | re.ASCII)
NAME = re.compile(r"(?<![\w./${-])[A-Za-z_][\w.]*(?![\w/-])")
PARAMS = "hydra.sweeper.params"
FOREIGN = re.compile(r"^\s*_target_:\s*(?!csrgan\.)\w", re.MULTILINE)
DEFAULT = re.compile(r"(?P<how>(?:override |optional )*)(?P<slash>/?)(?P<group>[^@]*)(?P<package>@.*)?")


class _Said:
    """What was told in this command. command: as it is called there."""

    command = "csrgan"
    names: set[str] = set()  # noqa: RUF012  # of the process, as is what is written to its terminal


def translate(given: Sequence[str], command: str) -> list[str]:
    """The words of a command by today's names; each old one is told on stderr, once."""
    _Said.command, _Said.names = f"csrgan {command}", set()
    return [_word(word, _tell) for word in given]


def translate_silently(given: Iterable[str]) -> list[str]:
    """The words that a run was started with, by today's names."""
    return [_word(word, lambda *_: None) for word in given]


def _tell(old: str, new: str, where: str = "") -> None:
    if old not in _Said.names:
        _Said.names.add(old)
        sentence = f"{_Said.command}: {old}{where} is now called {new}; the old name works until {UNTIL}."
        print(printable(sentence), file=sys.stderr)


def _word(word: str, report: Report) -> str:
    found = WORD.fullmatch(word)
    if not found:
        return word
    sign, key, value = found["sign"], found["key"], found["value"]
    if key.startswith(f"{PARAMS}."):
        inner = _word(key.removeprefix(f"{PARAMS}.") + ("" if value is None else f"={value}"), report)
        return f"{sign}{PARAMS}.{inner}"
    new = renamed.new_key(key)
    if new != key and _anothers(key):
        return word
    if new != key:
        report(key, new)
    given = "" if value is None else f"={_value(key, value, report)}"
    return f"{sign}{new}{given}"


def _anothers(key: str) -> bool:
    """Whether a part of the user's own, in place of csrgan's, has a setting of this name."""
    group, _, name = key.partition(".")
    leaf = re.compile(rf"^\s*{re.escape(name.rpartition('.')[2])}\s*:", re.MULTILINE)
    files = (file for folder in search.folders() for file in folder.rglob(f"{group}/**/*.yaml"))
    return any(FOREIGN.search(text := _text(file)) and leaf.search(text) for file in files)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # whoever reads it will say it
        return ""


def _is_there(group: str, choice: str) -> bool:
    """Whether a choice of the user's own has an old name of csrgan's."""
    return any(Path(folder, group, f"{choice}.yaml").is_file() for folder in search.folders())


def _value(key: str, value: str, report: Report) -> str:
    group = key.partition("@")[0]
    if value.startswith("{") and value.endswith("}"):
        return _mapping(key, value, report)

    def today(found: re.Match[str]) -> str:
        if group in CHOICES:
            return _chosen(found[0], group, report)
        if key.endswith("_target_") and found[0] in TARGETS:
            report(found[0], TARGETS[found[0]])
            return TARGETS[found[0]]
        return renamed.rename_tree(found[0], key, report)

    if group in CHOICES or key in VALUES or key.endswith("_target_"):
        return NAME.sub(today, value)
    return value if Path(value[:200]).exists() else renamed.rename_references(value, report)  # a path means what it names


def _mapping(key: str, value: str, report: Report) -> str:
    """Of `{key: value}`, which stands for several settings at once."""
    try:
        held: Any = OverridesParser.create().parse_override(f"{key}={value}")._value
    except HydraException:  # the command will say it
        return value
    if not isinstance(held, dict):
        return value
    new = _params(held, report) if key == PARAMS else renamed.rename_tree(held, key, report)
    return value if new == held else Override._get_value_element_as_str(new)


def _params(params: Mapping[Any, Any], report: Report) -> dict[Any, Any]:
    """The keys and values that a sweep goes through."""
    found = {}
    for key, value in params.items():
        text = value.text if isinstance(value, QuotedString) else value
        name, _, new = _word(f"{key}={text}", report).partition("=")
        quoted = QuotedString(new, value.quote) if isinstance(value, QuotedString) else None
        found[name] = quoted or (new if isinstance(value, str) else value)
    return found


class OwnFiles(FileConfigSource):  # type: ignore[misc]
    """A folder of choices of the user's, by today's names."""

    @staticmethod
    def scheme() -> str:
        return "csrgan"

    def load_config(self, config_path: str) -> ConfigResult:
        result = super().load_config(config_path)
        if OmegaConf.is_dict(result.config):
            group = config_path.removesuffix(".yaml").rpartition("/")[0]
            package = result.header.get("package") or "_group_"
            place = "" if package == "_global_" else group.replace("/", ".") if package == "_group_" else package
            held: Any = OmegaConf.to_container(result.config, resolve=False)
            where = f" in {Path(self.path, config_path).with_suffix('.yaml')}"
            new = _file(held, group, place, partial(_tell, where=where))
            result.config = result.config if new == held else OmegaConf.create(new)
        return result


def _file(held: dict[Any, Any], group: str, place: str, report: Report) -> dict[Any, Any]:
    """What a yaml file says. group: in which it lies. place: of what it says."""
    new: dict[Any, Any] = _referring(
        renamed.rename_tree({key: value for key, value in held.items() if key != "defaults"}, place, report), report
    )
    if "defaults" in held:
        new = {"defaults": [_default(each, group, report) for each in held["defaults"]], **new}
    at: Any = new
    for name in PARAMS.split(".")[:-1]:
        at = at.get(name) if isinstance(at, dict) else None
    if not place and isinstance(at, dict) and isinstance(at.get("params"), dict):
        at["params"] = _params(at["params"], report)
    return new


def _referring(node: Any, report: Report) -> Any:
    if isinstance(node, dict):
        return {key: _referring(value, report) for key, value in node.items()}
    if isinstance(node, list):
        return [_referring(value, report) for value in node]
    return renamed.rename_references(node, report) if isinstance(node, str) else node


def _default(entry: Any, group: str, report: Report) -> Any:
    """An entry of a defaults list: a file of the same group, or a group and its choice."""
    if isinstance(entry, str):
        return _chosen(entry, group, report)
    if not isinstance(entry, dict):
        return entry
    found = {}
    for key, choice in entry.items():
        named = DEFAULT.fullmatch(str(key))
        inside = "/".join(filter(None, ("" if named["slash"] else group, named["group"]))) if named else ""
        several = isinstance(choice, list)
        found[key] = [_chosen(one, inside, report) for one in choice] if several else _chosen(choice, inside, report)
    return found


def _chosen(choice: Any, group: str, report: Report) -> Any:
    new = CHOICES.get(group, {}).get(choice) if isinstance(choice, str) else None
    if new is None or _is_there(group, choice):
        return choice
    report(f"{group}={choice}", f"{group}={new}")
    return new
