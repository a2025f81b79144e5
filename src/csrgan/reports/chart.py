"""What the charts of a sweep share: blank figures, short names of groups, a legend that never covers the data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group

DPI = 110
SHOWN = 9  # groups in a crowded chart, at most
LONGEST = 26  # characters of a value, at most


def blank(width: float, height: float) -> Figure:
    """Return an empty white figure of this size in inches."""
    return Figure(figsize=(width, height), facecolor="white")


def save(figure: Figure, file: Path) -> str:
    """Write a chart as a PNG, and return the same bytes as a data URI."""
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=DPI, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()


class Style(TypedDict):
    """Keyword arguments of a matplotlib line."""

    color: str
    linestyle: str
    marker: str


def style(index: int) -> Style:
    """Return colour, line and marker of the group with this index; the first thirty differ."""
    return {"color": f"C{index % 10}", "linestyle": ("-", "--", ":")[index // 10 % 3], "marker": "os^Dv"[index // 10 % 5]}


def legend(figure: Figure) -> None:
    """Add the legend of the first axes below the figure, in as many columns as the width allows."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if len(labels) > 1:
        columns = max(1, int(figure.get_figwidth() / (0.6 + 0.065 * max(map(len, labels)))))
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, fontsize=7, frameon=False)


def number(text: str) -> float | None:
    """Return the number that the text spells, if it does."""
    try:
        return float(text)
    except ValueError:
        return None


def labels(groups: Sequence[Group]) -> dict[Group, str]:
    """Return a short name of each group: as much of each key and value as distinguishes it from the others."""
    words = {word for group in groups for word in group.settings}
    short = {word: f"{_key(word, words)}={_value(word, words)}" if "=" in word else word for word in words}
    return {group: " ".join(short[word] for word in group.settings) or group.name for group in groups}


def literal(label: str) -> str:
    """Escape a label so that matplotlib draws it as it is, not as mathematics; unprintable characters become question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in label).replace("$", r"\$")


def _key(word: str, words: set[str]) -> str:
    """Return the last two parts of a dotted key, or more if another key ends in the same two."""
    parts = word.partition("=")[0].split(".")
    others = [key for key in {other.partition("=")[0] for other in words} if key != ".".join(parts)]
    for count in range(2, len(parts)):
        ending = ".".join(parts[-count:])
        if not any(other == ending or other.endswith(f".{ending}") for other in others):
            return ending
    return ".".join(parts)


def _value(word: str, words: set[str]) -> str:
    """Return the value; of a long one only the ends, if they distinguish it from the other values of its key."""
    key, _, value = word.partition("=")
    ends = _ends(value)
    others = (other.partition("=")[2] for other in words if other != word and other.startswith(f"{key}="))
    return value if ends in map(_ends, others) else ends


def _ends(value: str) -> str:
    half = LONGEST // 2
    return value if len(value) <= LONGEST else f"{value[:half]}…{value[-half:]}"
