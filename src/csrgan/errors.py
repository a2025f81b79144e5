"""A fault of the user's input, told in one plain sentence. The command line prints it and leaves with exit status 2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# What would steer a terminal: control characters, line ends, and marks that turn the direction of writing; and parts of bytes that
# are no UTF-8.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """A text from elsewhere, such as the name of a file, in one line and without control characters: these are told as escapes."""
    return CONTROL.sub(lambda found: SHORT.get(found[0]) or _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name, as Python keeps it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class UserError(ValueError):
    """What the user gave cannot be used. Each sentence names the place, the value and what would be valid, in one line."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(printable(sentence.strip()) for sentence in sentences))

    def __reduce__(self) -> tuple[type[UserError], tuple[str, ...]]:
        return type(self), tuple(str(self).split("\n"))

    @classmethod
    def unknown(cls, place: str, name: str, choices: Iterable[str]) -> UserError:
        """`name` is none of `choices` at `place`; the nearest choice is named."""
        known = sorted(map(str, choices))
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        return cls(f"{place} has no {name}. Its choices: {', '.join(known) or 'none'}.{hint}")


def require(holds: bool, sentence: str) -> None:
    """Raise UserError(sentence) unless the condition holds."""
    if not holds:
        raise UserError(sentence)


def raise_faults(*found: Iterable[str]) -> None:
    """Raise UserError for the sentences that rules have found (see `csrgan.rules`), if there are any."""
    sentences = list(dict.fromkeys(sentence for each in found for sentence in each))
    if sentences:
        raise UserError(*sentences)


class RunStopped(Exception):
    """A run was asked to end early, and did. status: the exit status that tells of it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status
