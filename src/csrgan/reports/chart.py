"""What the charts of a sweep share: blank figures, short names of groups, a legend that never covers the data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TypedDict

from matplotlib.figure import Figure

from csrgan.config.all_keys import all_keys
from csrgan.evaluation.comparison import Group

DPI = 110
SHOWN = 9  # groups in a crowded chart, at most
LONGEST = 26  # characters of a value, at most
WIDEST = 80  # characters of a line of a label, unless a single word has more


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
    handles, names = figure.axes[0].get_legend_handles_labels()
    labels = [wrapped(name) for name in names]
    if len(labels) > 1:
        longest = max(len(line) for label in labels for line in label.split("\n"))
        columns = max(1, int(figure.get_figwidth() / (0.6 + 0.065 * longest)))
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, fontsize=7, frameon=False)


def wrapped(label: str) -> str:
    """Break a long label between its words."""
    return fill(label, WIDEST, break_long_words=False, break_on_hyphens=False)


def number(text: str) -> float | None:
    """Return the number that the text spells, if it does."""
    try:
        return float(text)
    except ValueError:
        return None


def labels(groups: Sequence[Group]) -> dict[Group, str]:
    """Return a short name of each group: of the words that not all groups have, as much of each key and value as distinguishes it.

    A key is not shortened to what another key of the configuration is called, or looks like.
    """
    common = common_words(groups)
    words = {word for group in groups for word in group.settings if word not in common}
    short = {word: f"{_key(word, words)}={_value(word, words)}" if "=" in word else word for word in words}
    return {group: " ".join(short[word] for word in group.settings if word not in common) or group.name for group in groups}


def common_words(groups: Sequence[Group]) -> list[str]:
    """Return the words in the settings of all groups, of which there are several."""
    first, *others = groups or [Group(())]
    return [word for word in first.settings if others and all(word in group.settings for group in others)]


def literal(label: str) -> str:
    """Escape a label so that matplotlib draws it as it is, not as mathematics; unprintable characters become question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in label).replace("$", r"\$")


def _key(word: str, words: set[str]) -> str:
    """Return the last two parts of a dotted key, or more if another key, given or not, ends in the same or begins with them."""
    parts = word.partition("=")[0].split(".")
    others = ({other.partition("=")[0] for other in words} | all_keys()) - {".".join(parts)}
    tops = {key.partition(".")[0] for key in others}
    for count in range(2, len(parts)):
        ending = ".".join(parts[-count:])
        if parts[-count] not in tops and not any(other == ending or other.endswith(f".{ending}") for other in others):
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
