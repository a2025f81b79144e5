"""What the charts of a sweep have in common: paper, names of groups, a legend that never covers the data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group

DPI = 110
SHOWN = 9  # groups in a chart that cannot show more
LONGEST = 26  # characters of a value


def paper(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), facecolor="white")


def save(figure: Figure, file: Path) -> str:
    """Write a chart as a PNG, and give the same bytes as a URI."""
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=DPI, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()


class Style(TypedDict):
    """How matplotlib draws a line."""

    color: str
    linestyle: str
    marker: str


def style(place: int) -> Style:
    """Colour, line and marker of the group in this place; thirty differ."""
    return {"color": f"C{place % 10}", "linestyle": ("-", "--", ":")[place // 10 % 3], "marker": "os^Dv"[place // 10 % 5]}


def legend(figure: Figure) -> None:
    """A legend of the first axes below the figure, in as many columns as its width allows."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if len(labels) > 1:
        columns = max(1, int(figure.get_figwidth() / (0.6 + 0.065 * max(map(len, labels)))))
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, fontsize=7, frameon=False)


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def labels(groups: Sequence[Group]) -> dict[Group, str]:
    """A short name of each group: as much of each key and value as tells it from the others."""
    words = {word for group in groups for word in group.settings}
    short = {word: f"{_key(word, words)}={_value(word, words)}" if "=" in word else word for word in words}
    return {group: " ".join(short[word] for word in group.settings) or group.name for group in groups}


def drawn(label: str) -> str:
    """A label as matplotlib draws it letter by letter, without reading mathematics into it; the unprintable is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in label).replace("$", r"\$")


def _key(word: str, words: set[str]) -> str:
    """The last two parts of a dotted key, or more where another key ends in the same."""
    parts = word.partition("=")[0].split(".")
    others = [key for key in {each.partition("=")[0] for each in words} if key != ".".join(parts)]
    for count in range(2, len(parts)):
        ending = ".".join(parts[-count:])
        if not any(other == ending or other.endswith(f".{ending}") for other in others):
            return ending
    return ".".join(parts)


def _value(word: str, words: set[str]) -> str:
    """The value, without its middle where it is long and its ends tell it from the others of its key."""
    key, _, value = word.partition("=")
    ends = _ends(value)
    others = (each.partition("=")[2] for each in words if each != word and each.startswith(f"{key}="))
    return value if ends in map(_ends, others) else ends


def _ends(value: str) -> str:
    half = LONGEST // 2
    return value if len(value) <= LONGEST else f"{value[:half]}…{value[-half:]}"
