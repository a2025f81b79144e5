"""csrgan's docstrings as the site shows them: a list of the arguments, what is raised in a paragraph of its own, names as code.

In the source, an argument is described as `name: what it is.`, several in one line if they are short.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from sphinx.application import Sphinx

SINGLE = re.compile(r"(?<![`:])`([^`]+)`(?![`_])")
PARTS = re.compile(r"(?:^|(?<=[.;] ))(?=(?:`?\w+`?, )*`?\w+`?: )")
NAMED = re.compile(r"((?:`?\w+`?, )*`?\w+`?): (.*)", re.DOTALL)


def names_of(thing: object) -> set[str]:
    """Return the names that a docstring may describe: arguments, and a class's attributes and keys."""
    names: set[str] = set()
    if inspect.isclass(thing):
        names |= {name for base in thing.__mro__ for name in (*vars(base), *getattr(base, "__annotations__", {}))}
    try:
        return names | set(inspect.signature(thing).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return names


def shown(lines: list[str], names: set[str]) -> Iterator[str]:
    """Yield the lines of a docstring in reStructuredText."""
    for paragraph in "\n".join(lines).split("\n\n"):
        if paragraph.lstrip().startswith(">>>") or paragraph.startswith(" "):
            yield from [*paragraph.split("\n"), ""]
            continue
        for part in _parts(re.sub(r"\s*\n\s*", " ", paragraph.strip()), names):
            yield from [SINGLE.sub(r"``\1``", part), ""]


def _parts(text: str, names: set[str]) -> Iterator[str]:
    """Yield the sentences of a paragraph: an item of a list for each described name, and the rest as paragraphs."""
    plain = ""
    for piece in PARTS.split(text):
        match = NAMED.fullmatch(piece)
        known = match and {name.strip("` ") for name in match[1].split(",")} <= names
        if not (match and known):
            plain += piece
            continue
        if plain.strip():
            yield plain.strip()
        what, raises, reason = match[2].partition("Raises ")
        yield f"* ``{match[1].replace('`', '').replace(', ', '``, ``')}``: {what.strip()}"
        plain = f"{raises}{reason}"
    if plain.strip():
        yield plain.strip()


def process(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Replace the lines that autodoc read."""
    if name.startswith("csrgan"):
        lines[:] = list(shown(lines, names_of(thing)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon, which would read `name: text` as a section."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
