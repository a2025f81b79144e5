"""csrgan's docstrings as the site shows them: a list of the arguments, what is raised in a paragraph of its own, names as code.

In the source, an argument is described as `name: what it is.`, several in one line if they are short.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from sphinx.application import Sphinx
from sphinx.util.inspect import signature as signature_of
from sphinx.util.inspect import stringify_signature

from csrgan.arguments import Recorded

PARTIAL = re.compile(r"functools\.partial\(<(?:class|function) '?(?:\w+\.)*(\w+)'?>(?:, )?")  # a default, as Python prints it
OF_TORCH = "Initialize internal Module state, shared by both nn.Module and ScriptModule."  # of a class without a constructor
SINGLE = re.compile(r"(?<![`:])`([^`]+)`(?![`_])")
PARTS = re.compile(r"(?:^|(?<=[.;] ))(?=(?:`?\w+`?, )*`?\w+`?: )")
NAMED = re.compile(r"((?:`?\w+`?, )*`?\w+`?): (.*)", re.DOTALL)


def names_of(thing: object) -> set[str]:
    """Return the names that a docstring may describe: arguments, and a class's attributes."""
    names: set[str] = set()
    if inspect.isclass(thing):
        names |= {name for base in thing.__mro__ for name in (*vars(base), *getattr(base, "__annotations__", {}))}
        names |= set(re.findall(r"\bself\.(\w+)", inspect.getsource(thing)))
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
    current = ""
    for piece in PARTS.split(text):
        match = NAMED.fullmatch(piece)
        if match and {name.strip("` ") for name in match[1].split(",")} <= names:
            yield from _ended(current)
            current = f"* ``{match[1].replace('`', '').replace(', ', '``, ``')}``: {match[2]}"
        else:
            current += piece
    yield from _ended(current)


def _ended(text: str) -> Iterator[str]:
    """Yield an item or a paragraph, and what is raised by itself."""
    what, raises, reason = text.partition("Raises ")
    yield from filter(None, (what.strip(), f"{raises}{reason}".strip()))


def process(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Replace the lines that autodoc read."""
    if name.startswith("csrgan"):
        if OF_TORCH in lines:
            del lines[lines.index(OF_TORCH) :]
        lines[:] = list(shown(lines, names_of(thing)))


def signature(app: Sphinx, what: str, name: str, thing: object, options: object, text: str, result: str) -> tuple[str, str] | None:
    """Return the constructor's signature of a class that records its arguments; autodoc takes that of `__new__`."""
    if what != "class" or not (inspect.isclass(thing) and issubclass(thing, Recorded)):
        return None
    try:
        arguments = signature_of(thing.__init__, bound_method=True).replace(return_annotation=inspect.Signature.empty)
        return PARTIAL.sub(r"\1(", stringify_signature(arguments, unqualified_typehints=True)).replace("(, ", "("), ""
    except (TypeError, ValueError):
        return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon, which would read `name: text` as a section."""
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
