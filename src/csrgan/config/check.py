"""Impossible values, found before anything heavy is imported and reported in one message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from csrgan.config.settings import GROUPS
from csrgan.declared import rules
from csrgan.declared.rule import Rule
from csrgan.errors import UserError
from csrgan.tree import Settings, value_at

REFERENCE = re.compile(r"\$\{([\w.]+)\}")  # a value that is only a reference to another key

Rules = Mapping[str, Rule]


def check_values(settings: Settings) -> None:
    """Raise UserError with all values that their declarations do not allow."""
    faults = list(value_faults(settings, declared_rules(settings)))
    if faults:
        raise UserError(*faults)


def declared_rules(tree: Settings) -> Rules:
    """Return the rule of each key of a configuration with unresolved interpolations.

    Rules of arguments come from the constructor (see `csrgan.declared`), those of other keys from `settings`, or from the key that
    refers to them, as in `data.images: ${trainer.images}`.
    """
    own = {
        f"{group}.{key}".lstrip("."): rule
        for group, kind in GROUPS.items()
        for key, rule in rules(f"{kind.__module__}.{kind.__name__}").items()
    }
    own |= dict(_rules_of_arguments(tree, ""))
    referred: dict[str, Rule] = {}
    for place, rule in own.items():
        value = value_at(tree, place)
        while isinstance(value, str) and (reference := REFERENCE.fullmatch(value)):
            referred.setdefault(reference[1], rule)
            value = value_at(tree, reference[1])
    return {**referred, **own}


def _rules_of_arguments(tree: object, place: str) -> Iterator[tuple[str, Rule]]:
    if not isinstance(tree, Mapping):
        return
    target = tree.get("_target_")
    of_arguments = rules(target) if isinstance(target, str) else {}
    for key, value in tree.items():
        inner = f"{place}.{key}".lstrip(".")
        if key in of_arguments:
            yield inner, of_arguments[key]
        yield from _rules_of_arguments(value, inner)


def value_faults(value: object, declared: Rules, place: str = "") -> Iterator[str]:
    """Yield a sentence for each value that its rule does not allow, in a configuration or in its part at `place`."""
    if rule := rule_of(place, declared):
        yield from rule.faults(place, value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from value_faults(inner, declared, f"{place}.{key}".lstrip("."))


def rule_of(place: str, declared: Rules) -> Rule | None:
    """Return the rule of a key: its own, or that of the mapping around it for its members."""
    if place in declared:
        return declared[place]
    above, _, key = place.rpartition(".")
    outer = rule_of(above, declared) if above else None
    return (outer.inside.get(key) or outer.inside.get("*")) if outer else None
