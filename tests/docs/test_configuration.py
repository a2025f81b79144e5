"""The reference of the configuration is whole, and says what csrgan enforces."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from csrgan.config.check import value_faults
from csrgan.config.folder import groups
from csrgan.config.location import conf

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "extensions"))
pytest.importorskip("sphinx", reason="needs the tools for the site, which make docs installs")
pytestmark = pytest.mark.docs

import configuration  # noqa: E402
import configuration_keys  # noqa: E402

NAMES = configuration_keys.names()
PACKAGES = {"logger_settings": "logger"}


def leaves(tree: dict[str, Any], place: str = "") -> Iterator[str]:
    for key, value in tree.items():
        inner = f"{place}.{key}".lstrip(".")
        if inner == "defaults" or (key == "defaults" and isinstance(value, list)) or str(key).startswith("_"):
            continue
        if isinstance(value, dict) and value:
            yield from leaves(value, inner)
        else:
            yield inner


def places(name: str) -> list[str]:
    """Return the keys of a yaml file, read without the code that is tested."""
    text = (conf() / f"{name}.yaml").read_text(encoding="utf-8")
    package = "" if "@package _global_" in text else PACKAGES.get(name, name.rpartition("/")[0].replace("/", "."))
    return list(leaves(yaml.safe_load(text) or {}, package))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return configuration.pages()


def test_the_choices_in_the_messages_that_pages_show_are_those_that_there_are() -> None:
    """Besides choices of the reader's own, and keys of a choice; where a page leaves some out, it says so with dots."""
    known = {name: {file.stem for file in files} for name, files in groups()}
    shown = [
        (file.name, group, set(choices.split(", ")))
        for file in (ROOT / "docs").rglob("*.md")
        for group, choices in re.findall(r"([\w/]+) has no \w+\. Its choices: ([\w, ]+)\.(?!\.)", file.read_text(encoding="utf-8"))
        if group in known and "_target_" not in choices
    ]
    assert ("configuration.md", "loss/image", known["loss/image"]) in shown
    assert all(choices >= known[group] for _, group, choices in shown), shown


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_yaml_file_has_its_default_its_values_and_its_meaning(name: str, pages: dict[str, str]) -> None:
    keys = {key.place: key for key in configuration_keys.choice(name).keys}
    assert set(places(name)) <= set(keys)
    for place, key in keys.items():
        assert key.default and key.values, place
        assert len(key.meaning) > 2 and "\n" not in key.meaning, (place, key.meaning)
    whole = "\n".join(pages.values())
    assert all(f"| `{place.removeprefix('hydra.sweeper.params.')}` |" in whole for place in keys)


@pytest.mark.parametrize("name", ["sweep/blur_range", "sweep/lambda_sigma"])
def test_a_key_that_is_swept_has_the_unit_of_the_protocol_that_is_trained_on(name: str) -> None:
    """Other protocols draw the blur by its std, in px; this one by its variance."""
    meanings = {key.place: key.meaning for key in configuration_keys.choice(name).keys}
    assert meanings["hydra.sweeper.params.degradation.blur.high"] == "variance, px^2 of the sharp picture"


def test_every_choice_has_an_anchor_and_says_what_it_is(pages: dict[str, str]) -> None:
    whole = "\n".join(pages.values())
    for name in (name for name in NAMES if "/" in name):
        anchor = re.sub("[^a-z0-9]+", "-", name)
        assert whole.count(f"({anchor})=\n") == 1, anchor
    assert "(loss-image-charbonnier)=" in pages["loss"]


def test_the_page_on_configuration_names_every_generated_page(pages: dict[str, str]) -> None:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^generated/(\w+)$", page, re.MULTILINE)) == set(pages)


def numeric() -> Iterator[tuple[str, str, str]]:
    """Yield (file, key, values in words) of every key that is a number in a range, once for each choice of a group."""
    for name in NAMES:
        for key in configuration_keys.choice(name).keys:
            if re.match(r"(list of |\d )?(whole )?numbers? (≥|>|in) ", key.values):
                yield name, key.place, key.values


def beside(words: str) -> tuple[list[float], list[float]]:
    """Return numbers within the range that the words state, and numbers outside of it."""
    whole = "whole" in words
    if bound := re.search(r"numbers? (≥|>) (\S+?)(?:,| or|$)", words):
        low = float(bound[2])
        return [low + 1, *([low] if bound[1] == "≥" else [])], [low - 1, *([low] if bound[1] == ">" else [])]
    left, low_text, high_text, right = re.search(r"in ([(\[])(\S+), (\S+?)([)\]])", words).groups()  # type: ignore[union-attr]
    low, high = float(low_text), float(high_text)
    middle = [float(round((low + high) / 2)) if whole else (low + high) / 2]
    inside = [*middle, *([low] if left == "[" else []), *([high] if right == "]" else [])]
    return inside, [low - 1, high + 1, *([low] if left == "(" else []), *([high] if right == ")" else [])]


def test_a_range_that_is_shown_is_the_range_that_is_enforced() -> None:
    """A number within it is accepted under its key, and one outside refused; so is a fraction where a whole number is asked."""
    checked = 0
    for name, place, words in numeric():
        rules = configuration_keys.rules_of(name)

        def faults(number: float, place: str = place, words: str = words, rules: Any = rules) -> list[str]:
            value: Any = int(number) if "whole" in words and number == int(number) else number
            pair = re.match(r"(\d) numbers", words)
            value = [value] * int(pair[1]) if pair else [value] if "list" in words else value
            return list(value_faults(value, rules, place))

        inside, outside = beside(words)
        assert not [faults(number) for number in inside if faults(number)], (name, place, words)
        assert all(faults(number) for number in outside), (name, place, words)
        if "whole" in words:
            assert faults(inside[0] + 0.25), (name, place, words)
        checked += 1
    assert checked > 300
