"""Text from elsewhere in Markdown, where it is to be read as it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What begins something else: code, emphasis, HTML, the target of a link, a cell. An underscore within a word is one.
MARKUP = re.compile(r"[\\`*|~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]|^[#=-](?=[\s#=-]|$)")
HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text: str) -> str:
    """The text in one line, none of it markup."""
    line = " ".join(text.split())
    return "".join(HTML.get(one, one) for one in MARKUP.sub(r"\\\g<0>", line))


def table(lines: Sequence[Sequence[str]]) -> str:
    """A table of any text, its headings first."""
    heading, *rest = [[escaped(cell) for cell in line] for line in lines]
    return (
        "\n".join("|".join(["", *(f" {cell} " for cell in line), ""]) for line in (heading, ["---"] * len(heading), *rest)) + "\n"
    )
