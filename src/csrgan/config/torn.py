"""Mappings that a shell has torn apart for want of quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from csrgan.config.override import KEY, node_of

MEMBER = re.compile(r"^(\w+):\s*(?=\S)")  # beginning of a member of a mapping, as in {blur: 2, scale: 1}


def torn_at_blanks(words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words without the parts of mappings that a shell has torn at their blanks, for want of quotes, and a sentence for
    each by its key: of `a={x: 1, y: 2}` it makes `a={x:`, `1,`, `y:`, `2}`."""
    whole: list[str] = []
    torn: dict[str, list[str]] = {}
    rest = list(words)
    while rest:
        word, *rest = rest
        key, _, value = word.partition("=")
        ends = (end for end in range(1, len(rest) + 1) if _closed(joined := " ".join((value, *rest[:end]))) and "=" not in joined)
        if value.startswith("{") and not _closed(value) and (end := next(ends, 0)):
            torn[key.lstrip("+")] = [_torn(key, " ".join((value, *rest[:end])))]
            rest = rest[end:]
        else:
            whole.append(word)
    return whole, torn


def _closed(value: str) -> bool:
    return value.count("{") == value.count("}")


def torn_at_commas(base: DictConfig, words: Sequence[str]) -> dict[str, list[str]]:
    """Return a sentence, by its key, for each mapping that a shell has torn at its commas, for want of quotes: of `a={x:1,y:2}` it
    makes `a=x:1` and `a=y:2`."""
    torn: dict[str, list[str]] = {}
    for word in words:
        key, _, value = word.partition("=")
        name = key.lstrip("+")
        if name not in torn and MEMBER.match(value) and KEY.fullmatch(key) and OmegaConf.is_dict(node_of(base, name)):
            members = [MEMBER.sub(r"\1: ", other.partition("=")[2]) for other in words if other.startswith(f"{key}=")]
            torn[name] = [_torn(key, f"{{{', '.join(members)}}}")]
    return torn


def _torn(key: str, value: str) -> str:
    return f"{key} holds several settings, which the shell has torn apart: quote the word, as in '{key}={value}'."
