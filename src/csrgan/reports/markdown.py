"""Escape foreign text for Markdown, so that it reads as it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Characters that start markup: code, emphasis, HTML, the target of a link, a cell. An underscore within a word starts none.
MARKUP = re.compile(r"[\\`*|~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]|^[#=-](?=[\s#=-]|$)")
HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text: str) -> str:
    """Return the text in one line, with all markup escaped."""
    line = " ".join(text.split())
    return "".join(HTML.get(one, one) for one in MARKUP.sub(r"\\\g<0>", line))


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of any text. lines: the headings first."""
    heading, *rest = [[escaped(cell) for cell in line] for line in lines]
    return (
        "\n".join("|".join(["", *(f" {cell} " for cell in line), ""]) for line in (heading, ["---"] * len(heading), *rest)) + "\n"
    )
