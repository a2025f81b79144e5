"""Values that no run can be made with, found before anything heavy is imported; all of them in one message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from csrgan.config.settings import GROUPS
from csrgan.declared import Rule, rules
from csrgan.errors import UserError
from csrgan.tree import Settings, value_at

REFERENCE = re.compile(r"\$\{([\w.]+)\}")  # a key that is nothing but another one

Rules = Mapping[str, Rule]


def check_values(settings: Settings) -> None:
    """Raise UserError for every value that its declaration does not allow."""
    faults = list(value_faults(settings, declared_rules(settings)))
    if faults:
        raise UserError(*faults)


def declared_rules(tree: Settings) -> Rules:
    """The rule of each key of a configuration whose interpolations stand as they are: of what is built, from its constructor (see
    `csrgan.declared`); of the others from `settings`, or from the key that takes it over, as `data.images: ${trainer.images}`."""
    found = {
        f"{group}.{key}".lstrip("."): rule
        for group, kind in GROUPS.items()
        for key, rule in rules(f"{kind.__module__}.{kind.__name__}").items()
    }
    found |= dict(_of_built(tree, ""))
    handed_on: dict[str, Rule] = {}
    for place, rule in found.items():
        value = value_at(tree, place)
        while isinstance(value, str) and (reference := REFERENCE.fullmatch(value)):
            handed_on.setdefault(reference[1], rule)
            value = value_at(tree, reference[1])
    return {**handed_on, **found}


def _of_built(tree: object, place: str) -> Iterator[tuple[str, Rule]]:
    if not isinstance(tree, Mapping):
        return
    target = tree.get("_target_")
    of_arguments = rules(target) if isinstance(target, str) else {}
    for key, value in tree.items():
        here = f"{place}.{key}".lstrip(".")
        if key in of_arguments:
            yield here, of_arguments[key]
        yield from _of_built(value, here)


def value_faults(value: object, known: Rules, place: str = "") -> Iterator[str]:
    """A sentence for each value of a configuration, or of the part of it at a place, that its declaration does not allow."""
    if rule := rule_of(place, known):
        yield from rule.faults(place, value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from value_faults(each, known, f"{place}.{key}".lstrip("."))


def rule_of(place: str, known: Rules) -> Rule | None:
    """The rule of a key, which may be that of a mapping around it."""
    if place in known:
        return known[place]
    above, _, key = place.rpartition(".")
    around = rule_of(above, known) if above else None
    return (around.inside.get(key) or around.inside.get("*")) if around else None
