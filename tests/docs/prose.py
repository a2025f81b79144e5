"""The prose of a page of Markdown: its sentences, without code, tables, directives, comments and the targets of links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import textstat

# Directives whose content is prose. That of the others (toctree, code-block, image, ...) is not.
PROSE = {
    *("admonition", "attention", "caution", "danger", "dropdown", "error", "figure", "glossary", "hint", "important", "note"),
    *("card", "grid", "grid-item", "grid-item-card", "seealso", "tab-item", "tab-set", "tip", "warning"),
}
ABBREVIATIONS = ("al", "approx", "cf", "e.g", "eq", "etc", "fig", "i.e", "no", "sec", "vs")

FENCE = re.compile(r"[ ]*(?P<fence>`{3,}|~{3,}|:{3,})(?:\{(?P<directive>[\w:-]+)\})?.*")
OPTION = re.compile(r"[ ]*(:[\w-]+:.*|---[ ]*)")
# Lines that end a paragraph and are none: headings, rules, labels, comments of MyST, definitions of links.
NO_PROSE = re.compile(r"[ ]*(#{1,6} .*|[-*_+=]{3,}[ ]*|\([\w-]+\)=[ ]*|%.*|\[[^\]]+\]: .*|\|.*)")
ITEM = re.compile(r"[ ]*(?:[-*+]|\d+[.)]|:)[ ]+|[ ]*>[ ]?")
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
TEXT_ROLES = ("term", "doc", "ref", "abbr")  # roles whose text is read as it stands


@dataclass(frozen=True)
class Sentence:
    line: int
    text: str

    @property
    def words(self) -> list[str]:
        return [word for word in self.text.split() if re.search(r"\w", word)]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, or an item of a list. text: as written, with its line breaks. line: the first."""

    line: int
    text: str

    def sentences(self) -> Iterator[Sentence]:
        """Yield its sentences in plain words. A code or a formula is one word."""
        line, words, start = self.line, list[str](), self.line
        for part in re.split(r"(\s+)", plain(self.text)):
            if not part.strip():
                line += part.count("\n")
                continue
            start = line if not words else start
            words.append(part)
            if ends_a_sentence(part):
                yield Sentence(start, " ".join(words))
                words = []
        if words:
            yield Sentence(start, " ".join(words))


def ends_a_sentence(word: str) -> bool:
    bare = word.rstrip("\"')]*_”’")
    stem = bare.rstrip(".").lstrip("(\"'[").lower()
    return bare.endswith(("!", "?")) or (bare.endswith(".") and stem not in ABBREVIATIONS)


def sentences(page: str) -> list[Sentence]:
    """Return the sentences of a page, in order. Headings and tables have none."""
    return [sentence for paragraph in paragraphs(page) for sentence in paragraph.sentences()]


def paragraphs(page: str) -> Iterator[Paragraph]:
    """Yield the paragraphs of a page, as written."""
    begin, lines, in_list = 0, list[str](), False
    for number, line in _prose_lines(page):
        item = ITEM.match(line)
        if lines and (item or not line.strip()):
            yield Paragraph(begin, "\n".join(lines))
            lines = []
        text = line[item.end() :] if item else line
        if not text.strip():
            continue
        if not lines:
            begin, in_list = number, bool(item) or (in_list and line.startswith(" "))
        if lines or in_list or not line.startswith("    "):  # otherwise it is code
            lines.append(text)
    if lines:
        yield Paragraph(begin, "\n".join(lines))


def _prose_lines(page: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that may hold prose, with their numbers; an empty one for each of the others."""
    page = re.sub(r"\A---\n.*?\n---\n", _blank, page, flags=re.DOTALL)
    page = re.sub(r"<!--.*?-->|^\$\$.*?\$\$", _blank, page, flags=re.DOTALL | re.MULTILINE)
    closing: list[str] = []  # what ends each open directive with prose in it
    skipped, options = "", False  # what ends the open block without prose; whether options of a directive may follow
    for number, line in enumerate(page.splitlines(), 1):
        fence = FENCE.fullmatch(line)
        text = line.strip()
        if skipped:
            skipped = "" if text.startswith(skipped) and not text.strip(skipped[0]) else skipped
        elif closing and text == closing[-1]:
            closing.pop()
        elif fence and fence["directive"] in PROSE:
            closing.append(fence["fence"])
            options = True
        elif fence:
            skipped = fence["fence"]
        elif options and OPTION.fullmatch(line):
            pass
        elif NO_PROSE.fullmatch(line):
            options = False
        else:
            options = False
            yield number, line
            continue
        yield number, ""


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _as(text: Callable[[re.Match[str]], str] | str) -> Callable[[re.Match[str]], str]:
    """Replace a match by a text, with as many line breaks as it has."""

    def replacement(match: re.Match[str]) -> str:
        new = text if isinstance(text, str) else text(match)
        return new + "\n" * (match[0].count("\n") - new.count("\n"))

    return replacement


def _role(match: re.Match[str]) -> str:
    text = re.sub(r"\s*<[^>]*>$", "", match[2])
    return text if match[1] in TEXT_ROLES else "Code"


def plain(text: str) -> str:
    """Return Markdown without its marks. Code and formulas become one word each; pictures go."""
    text = ROLE.sub(_as(_role), text)
    text = CODE.sub(_as("Code"), text)
    text = re.sub(r"\[?!\[[^\]]*\]\([^)]*\)(\]\([^)]*\))?", _as(""), text)
    text = re.sub(r"\[\^[^\]]+\]", _as(""), text)
    text = re.sub(r"\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])", _as(lambda match: match[1]), text)
    text = re.sub(r"<https?://[^>]+>|https?://\S+\w", _as("Link"), text)
    text = re.sub(r"</?[a-zA-Z][^<>]*>", _as(""), text)
    text = re.sub(r"(?<![\w$])\$[^$\s](?:[^$]*[^$\s])?\$(?![\w$])|\{\{[^}]*\}\}", _as("X"), text)
    return re.sub(r"\*\*?|(?<!\w)_+|_+(?!\w)", "", text)


def reading_ease(found: Sequence[Sentence]) -> float:
    """Return the Flesch reading ease of these sentences. A point within one, as in 1.95, ends none."""
    texts = [re.sub(r"[.!?]", "", sentence.text) for sentence in found]
    return float(textstat.flesch_reading_ease(" ".join(f"{text}." for text in texts)))
