"""Errors of the user's input, each one plain sentence. The command line prints them and exits with status 2."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

# What could control a terminal: control characters, line ends and marks that change the direction of writing; and surrogates, which
# stand for bytes that are not UTF-8.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# What Python, torch, oneDNN and encoders of pictures say when memory runs out; oneDNN says no more than what it could not create.
NO_MEMORY = re.compile(
    r"outofmemory|memoryerror|(can't|cannot) allocate memory|out of memory|(insufficient|not enough) memory|bad_alloc|alloc_failed"
    r"|could not (create|execute) a (primitive|memory|stream)$",
    re.IGNORECASE,
)


def printable(text: str) -> str:
    """Return text from outside, such as a file name, as one line in which each control character is written as an escape."""
    return CONTROL.sub(lambda match: SHORT.get(match[0]) or _escape(ord(match[0])), text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that Python could not decode
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


KINDS = {"source": "FILE", "destination": "FOLDER", "folder": "FOLDER", "checkpoint": "RUN_FOLDER"}  # what such a key takes
NONE = "none"  # a choice that is like many names, and seldom meant
ALSO = {"gpu": "cuda"}  # other names of choices, which are written quite differently


class UserError(ValueError):
    """The user's input cannot be used. Each sentence is one line and names the place, the value and what would be valid."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(printable(sentence.strip()) for sentence in sentences))

    def __reduce__(self) -> tuple[type[UserError], tuple[str, ...]]:
        return type(self), tuple(str(self).split("\n"))

    @classmethod
    def unknown(cls, place: str, name: str, choices: Iterable[str]) -> UserError:
        """Say that `place` has no choice `name`, list `choices`, and suggest the nearest."""
        names = sorted(map(str, choices))
        own = [each for each in names if each != NONE]
        near = [ALSO[name]] if ALSO.get(name) in names else get_close_matches(name, own, n=1, cutoff=0.4)
        near = near or (get_close_matches(name, [NONE], n=1) if NONE in names else [])
        hint = f" Did you mean {near[0]}?" if near else ""
        return cls(f"{place} has no {name}. Its choices: {', '.join(names) or 'none'}.{hint}")


def found(value: object) -> str:
    """Return what a value of the user's code is, in words, to say that it is not what was needed."""
    if value is None:
        return "nothing (None)"
    if shape := getattr(value, "shape", None):
        kind = "a tensor" if hasattr(value, "requires_grad") else "an array"
        return f"{kind} of shape {'x'.join(map(str, shape))}"
    return f"a {type(value).__name__}{f' of {len(value)}' if isinstance(value, list | tuple | dict) else ''}"


def meant(path: Path) -> str:
    """Return " Did you mean PATH?" for a file or folder that exists where one name in a missing path is misspelt; "" for none."""
    parents = [path, *path.parents]
    with suppress(OSError):  # a folder that may not be read has no names
        first = next(index for index, parent in enumerate(parents) if parent.exists())
        names = [each.name for each in parents[first].iterdir()] if first else []
        for name in get_close_matches(parents[first - 1].name, names, n=3, cutoff=0.6):
            near = parents[first] / name / path.relative_to(parents[first - 1])
            if near.exists():
                return f" Did you mean {near}?"
    return ""


def needed(key: str) -> str:
    """Return a sentence about a key that has no value."""
    return f"{key} is needed: give it as {key}={KINDS.get(key, 'VALUE')}."


def require(condition: bool, sentence: str) -> None:
    """Raise UserError(sentence) unless the condition holds."""
    if not condition:
        raise UserError(sentence)


def memory_ran_out(error: BaseException) -> bool:
    """Return whether an error, of whatever library, says that memory ran out. A file's name in it says nothing."""
    if isinstance(error, UserError | OSError):
        return getattr(error, "errno", None) == errno.ENOMEM
    return bool(NO_MEMORY.search(f"{type(error).__name__}: {error}".rstrip()))


def raise_faults(*faults: Iterable[str]) -> None:
    """Raise UserError with the sentences that rules yield (see `csrgan.rules`), each once; do nothing if there are none."""
    sentences = list(dict.fromkeys(sentence for rule in faults for sentence in rule))
    if sentences:
        raise UserError(*sentences)


class RunStopped(Exception):
    """A run ended early because it was asked to. status: the exit status that reports it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class Terminated(KeyboardInterrupt):
    """SIGTERM came where Ctrl-C ends something in order, and does the same."""


ENDS_AT_ONCE = "a second Ctrl-C or SIGTERM ends it at once"  # said where the first lets something be saved
