"""csrgan COMMAND --help: one screen about a command. Nothing heavy is imported.

The words are those of `pages`; what a key is, its default and its choices are read from the yaml files.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from csrgan.cli.pages import PAGES, Page
from csrgan.config.flags import FULL_HELP
from csrgan.config.keys import Key, described
from csrgan.declared.rule import Rule

WIDTH = 100  # columns
LONG = 12  # characters of a default that stands in the column of defaults
LABEL = 14  # characters of the words before what a command writes, its exit status and what to read next


@dataclass(frozen=True)
class Shown:
    """A key as a page shows it, all in words. default: `needed` if there is none."""

    name: str
    default: str
    meaning: str
    example: str


def keys(command: str) -> list[Shown]:
    """Return the keys on the page of a command."""
    own = [(described(command, name), example) for name, example in PAGES[command].keys.items()]
    return [Shown(key.name, default_of(key), _meaning(key), example) for key, example in own]


def default_of(key: Key) -> str:
    """Return the default in words: TIME and NAME stand for what is known only when the command runs."""
    text = re.sub(r"\$\{now:[^}]*\}", "TIME", key.default)
    text = re.sub(r"\$\{hydra:runtime\.choices\.(\w+)\}", lambda match: match[1].upper(), text)
    return "needed" if text == "???" else text


def examples(command: str) -> str:
    """Return the examples as lines for a shell, with what each does in a comment."""
    return "\n".join(f"# {what}\n{line}" for what, line in PAGES[command].examples.items())


def statuses(command: str) -> str:
    """Return the exit statuses in a line; nothing for a command that either works or cannot use its input."""
    own = PAGES[command].status
    return f"{own}; 2 if your input cannot be used." if own else ""


def further(command: str) -> list[tuple[str, str]]:
    """Return commands that show more, each with what it shows."""
    if not PAGES[command].keys:  # completion has no configuration
        return []
    lines = [
        (f"csrgan {command} {FULL_HELP}", "all keys and choices"),
        (f"csrgan {command} --cfg job", "every key with its value, as composed"),
    ]
    groups = [name for name in PAGES[command].keys if described(command, name).choices]
    return [*lines, ("csrgan list GROUP", f"what each choice is, as in csrgan list {groups[0]}")] if groups else lines


def page(command: str) -> str:
    """Return the page of a command, for a terminal of WIDTH columns."""
    return "\n".join(_lines(command, PAGES[command])) + "\n"


def _lines(command: str, about: Page) -> Iterator[str]:
    yield f"csrgan {command}: {about.purpose}"
    yield ""
    for number, words in enumerate(about.usage):
        yield f"{'' if number else 'usage:':<7}csrgan {command} {words}"
    if about.keys:
        yield ""
        yield from _table(keys(command))
    yield ""
    yield "examples:"
    yield from textwrap.indent(examples(command), "  ").split("\n")
    yield ""
    yield from _labelled("writes:", about.writes)
    yield from _labelled("exit status:", statuses(command))
    lines = further(command)
    width = max((len(line) for line, _ in lines), default=0)
    for number, (line, what) in enumerate(lines):
        yield f"{'' if number else 'more:':<{LABEL}}{line:<{width}}  {what}"
    yield from _labelled("on the site:", "; ".join(about.site))


def _table(shown: Sequence[Shown]) -> Iterator[str]:
    """Yield a line or more for each key: its name, its default, what it is, and below that an example."""
    name = max(len(key.name) for key in shown) + 2
    default = max(len(text) for text in ("default", *(key.default for key in shown)) if len(text) <= LONG) + 2
    margin = " " * (2 + name + default)
    yield f"  {'key':<{name}}{'default':<{default}}what it is, and an example"
    for key in shown:
        meaning = textwrap.wrap(key.meaning, WIDTH - len(margin), break_on_hyphens=False)
        if len(key.default) + 2 > default:
            yield f"  {key.name:<{name}}{key.default}"
            yield f"{margin}{meaning[0]}"
        else:
            yield f"  {key.name:<{name}}{key.default:<{default}}{meaning[0]}"
        yield from (f"{margin}{line}" for line in meaning[1:])
        yield f"{margin}{key.example}"


def _labelled(label: str, text: str) -> list[str]:
    """Return a text with its label before the first line; nothing for an empty text."""
    margin = " " * LABEL
    lines = textwrap.wrap(text, WIDTH, initial_indent=f"{label:<{LABEL}}", subsequent_indent=margin, break_on_hyphens=False)
    return lines if text else []


def _meaning(key: Key) -> str:
    """Return what a key is, and what it may be where the comment does not say so."""
    named = set(re.findall(r"\w+", key.meaning))
    choices = () if named.issuperset(key.rule.choices) else key.rule.choices
    listed = ", ".join(key.choices or choices)
    numbers = "" if f"{key.rule.interval[1:2]}: " in key.meaning else range_in_words(key.rule)
    return "; ".join(filter(None, (key.meaning, listed and f"choices: {listed}", numbers)))


def range_in_words(rule: Rule) -> str:
    """Return the numbers that a rule allows: `1 or more`, `more than 0`, `from 0 to 1`."""
    if not rule.interval:
        return ""
    low, high = rule.interval[1:-1].split(",")
    if high == "inf":
        return f"more than {low}" if rule.interval[0] == "(" else f"{low} or more"
    ends = [end for end, sign in ((low, rule.interval[0]), (high, rule.interval[-1])) if sign in "()"]
    return f"from {low} to {high}{' without ' * bool(ends)}{' and '.join(ends)}"
