"""A fault of the user's input, told in one plain sentence. The command line prints it and leaves with exit status 2."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class Fault(ValueError):
    """What the user gave cannot be used. The message names the place, the value and what would be valid."""

    @classmethod
    def unknown(cls, place: str, name: str, choices: Iterable[str]) -> Fault:
        """`name` is none of `choices` at `place`; the nearest choice is named."""
        known = sorted(map(str, choices))
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        return cls(f"{place} has no {name}. Its choices: {', '.join(known) or 'none'}.{hint}")


def check(holds: bool, sentence: str) -> None:
    """Raise Fault(sentence) unless the condition holds."""
    if not holds:
        raise Fault(sentence)


class Stopped(Exception):
    """A run was asked to end early, and did. status: the exit status that tells of it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status
