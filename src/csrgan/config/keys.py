"""What the yaml files say about a key: its default, its meaning, and its choices. They are read as text, without Hydra."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from csrgan.config.location import conf
from csrgan.config.settings import GROUPS
from csrgan.declared import rules
from csrgan.declared.rule import Rule

ALL = "train"  # its defaults list names every group, and says what each one is
LINE = re.compile(r"(?P<name>[\w/-]+): *(?P<value>.*?)(?: +# *(?P<comment>.*))?")


@dataclass(frozen=True)
class Key:
    """A key of a command.

    default: as the yaml file has it. meaning: the comment beside it. choices: of a group. rule: what its value must be.
    """

    name: str
    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    rule: Rule = field(default_factory=Rule)


def described(command: str, name: str) -> Key:
    """Return what is written about a key such as `seed`, `trainer.images` or `loss/image`. Raises KeyError if nothing is."""
    file = conf() / f"{command}.yaml"
    chosen = _lines(file, "  - ")
    if name in chosen:
        choices = tuple(sorted(choice.stem for choice in (conf() / name).glob("*.yaml")))
        meaning = chosen[name].meaning or _lines(conf() / f"{ALL}.yaml", "  - ")[name].meaning
        return replace(chosen[name], choices=choices, meaning=meaning)
    group = max((group for group in chosen if name.startswith(f"{group.replace('/', '.')}.")), key=len, default="")
    own = name.removeprefix(f"{group.replace('/', '.')}.")
    key, target = _of_file(conf() / group / f"{chosen[group].default}.yaml" if group else file, own)
    kind = GROUPS.get(group)
    rule = rules(target) if target else rules(f"{kind.__module__}.{kind.__name__}") if kind else {}
    return replace(key, name=name, rule=rule.get(own, Rule()))


def _of_file(file: Path, name: str) -> tuple[Key, str]:
    """Return a key of a choice and the class that the choice builds, each from the nearest of its files that says so: the file, or
    those that it begins with."""
    lines = _lines(file)
    key, target = lines.get(name), lines["_target_"].default if "_target_" in lines else ""
    bases = lines["defaults"].default.strip("[]").split(", ") if "defaults" in lines else []
    for base in (each for each in bases if each not in ("", "_self_")):
        inherited, of_base = _of_file(file.with_name(f"{base}.yaml"), name)
        key, target = key or inherited, target or of_base
    if key is None:
        raise KeyError(f"{file}: {name}")
    return key, target


@cache
def _lines(file: Path, indent: str = "") -> dict[str, Key]:
    """Return the keys of a file whose lines begin with this indent."""
    lines = (line.removeprefix(indent) for line in file.read_text(encoding="utf-8").split("\n") if line.startswith(indent))
    matches = [match for line in lines if (match := LINE.fullmatch(line.rstrip()))]
    return {match["name"]: Key(match["name"], match["value"].strip("\"'"), match["comment"] or "") for match in matches}
