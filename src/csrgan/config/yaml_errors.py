"""Which line of a yaml file is wrong. The parser names the place at which it noticed, often a line later."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from yaml import MarkedYAMLError

BEGUN = ("simple key", "quoted scalar", "flow sequence", "flow mapping")  # what begins in the wrong line, and has no end
NOT_ALLOWED = "mapping values are not allowed"


def yaml_message(error: BaseException) -> str | None:
    """Return the sentence for a yaml file that cannot be read; None for any other error."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return None
    name, number = error.problem_mark.name, error.problem_mark.line
    lines: list[str] = []
    with suppress(OSError, ValueError):
        lines = Path(name).read_text(encoding="utf-8").split("\n")
    if number < len(lines) and "\t" in lines[number][: len(lines[number]) - len(lines[number].lstrip())]:
        return f"{name}, line {number + 1}, has a tab: yaml takes blanks{_shown(lines, number)}."
    if error.context_mark and any(kind in str(error.context) for kind in BEGUN):
        number = error.context_mark.line
    elif NOT_ALLOWED in str(error.problem):
        number = _without_colon(lines, number)
    return f"{name}, line {number + 1}, is no valid yaml: {error.problem}{_shown(lines, number)}."


def _without_colon(lines: list[str], number: int) -> int:
    """Return the number of the line before, if that has no colon: the parser takes the two for one."""
    above = [index for index in range(min(number, len(lines))) if lines[index].split("#")[0].strip()]
    return above[-1] if above and ":" not in lines[above[-1]] and lines[number].count(": ") < 2 else number


def _shown(lines: list[str], number: int) -> str:
    text = lines[number].strip() if number < len(lines) else ""
    return f" (“{text}”)" if text else ""
