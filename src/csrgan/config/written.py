"""How values are written that are meant as numbers and are none: in brackets or quotes, or several without commas between them."""

from __future__ import annotations

import re

UNSIGNED = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
NUMBER = f"[+-]?{UNSIGNED}"
SIGNED = re.compile(rf"(?:^|(?<=[\s,:;|/(]))[+-]{UNSIGNED}|{UNSIGNED}")  # in 1-3 the dash is no sign
PARTED = re.compile(rf"[({{\[]?\s*{NUMBER}(?:\s*(?:\.\.+|[\s,:;|/-])\s*{NUMBER})+\s*[)}}\]]?")
SPAN = re.compile(r"(\d+)\s*(?:\.\.+|-)\s*(\d+)")  # from one whole number to another
NO_NUMBER = (" is not a number.", " is not a whole number.", " is neither true nor false.")  # how sentences on values end
MOST = 9  # values that are spelt out


def with_advice(sentence: str, key: str, text: str) -> str:
    """Return a sentence that says that a value is no number, with how it is written. text: as the user wrote it."""
    said = advice(key, text) if sentence.endswith(NO_NUMBER) else ""
    return f"{sentence.removesuffix('.')}: {said}." if said else sentence


def advice(key: str, text: str) -> str:
    """Return how a number, or several, are written that stand in this text; empty where it holds something else."""
    text = text.strip()
    inner = text.strip("\"'").strip()
    if inner != text and (re.fullmatch(NUMBER, inner) or inner in ("true", "false")):
        return f"leave out the quotes, as in {key}={inner}"
    if text.startswith("[") and text.endswith("]"):
        values = [value.strip() for value in text[1:-1].split(",")]
        several = " (with -m, one run for each)" if len(values) > 1 else ""
        return f"write it without brackets, as in {key}={','.join(values)}{several}"
    if PARTED.fullmatch(text):
        return f"several values have commas between them, as in {key}={','.join(_values(text))} with -m"
    return ""


def _values(text: str) -> list[str]:
    """Return the numbers that are meant: of 1..3 also the one between."""
    if (span := SPAN.fullmatch(text.strip())) and 0 < int(span[2]) - int(span[1]) < MOST:
        return [str(value) for value in range(int(span[1]), int(span[2]) + 1)]
    return SIGNED.findall(text.replace("..", " "))


def comma_fault(word: str, *, torn: bool) -> str:
    """Return a sentence for a list of values with a comma too many; empty for any other word. torn: whether a word without a key
    follows, as where a blank stands behind the comma."""
    key, _, value = word.partition("=")
    values = [part for part in value.split(",") if part.strip()]
    if torn and value.endswith(","):
        return f"{word} ends with a comma: a list of values has no space in it, as in {key}=ONE,OTHER."
    if values and len(values) < value.count(",") + 1 and not re.search(r"[\[({\"']", value):
        return f"{word} has a comma too many: write {key}={','.join(values)}."
    return ""
