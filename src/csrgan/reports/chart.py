"""What the charts of a sweep share: blank figures, short names of groups, a legend that never covers the data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from csrgan.config.all_keys import all_keys
from csrgan.errors import require
from csrgan.evaluation.comparison import Group
from csrgan.reports.look import PAGE, Look

PIXELS = 760  # of the width of a chart on the page
MARGIN = 0.05  # inches
UNDATED: dict[str, dict[str, Any]] = {  # by the suffix: without the time of writing, equal charts are equal files
    ".svg": {"Date": None, "Creator": "csrgan report"},
    ".pdf": {"CreationDate": None, "Creator": "csrgan report"},
    ".png": {"Software": "csrgan report"},
}
SHOWN = 9  # groups in a crowded chart, at most
LONGEST = 26  # characters of a value, at most
WIDEST = 80  # characters of a line of a label, unless a single word has more


def blank(look: Look, height: float) -> Figure:
    """Return an empty white figure of the look's width and this height in inches. Its parts share it without overlap."""
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04)  # inches: letters of a PDF are a little wider than those of a PNG
    return Figure(figsize=(look.inches, height), dpi=PIXELS / look.inches, facecolor="white", layout=layout)


def save(figure: Figure, file: Path) -> str:
    """Write a chart as SVG, PDF and PNG, and return the PNG as a data URI. The same chart gives the same bytes each time.

    A file is exactly as wide as the figure; what hangs below it, such as a legend, makes it higher.
    """
    file.parent.mkdir(exist_ok=True)
    for _ in range(2):  # the first time, the layout does not know how wide the labels are
        figure.draw_without_rendering()
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    box = Bbox([[0, min(0.0, extent.y0 - MARGIN)], [width, max(height, extent.y1 + MARGIN)]])
    figure.set_layout_engine("none")  # it has done its work
    for suffix, metadata in UNDATED.items():
        figure.savefig(file.with_suffix(suffix), bbox_inches=box, metadata=metadata)
    return "data:image/png;base64," + base64.b64encode(file.with_suffix(".png").read_bytes()).decode()


def legend(figure: Figure, look: Look) -> None:
    """Add the legend of the first axes below the figure, in as many columns as the width allows."""
    handles, names = figure.axes[0].get_legend_handles_labels()
    labels = [wrapped(name, min(WIDEST, look.letters(0.8))) for name in names]
    if len(labels) > 1:
        longest = max(len(line) for label in labels for line in label.split("\n"))
        columns = max(1, int(look.inches / (0.6 + 0.065 * longest)))
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, frameon=False)


def wrapped(label: str, width: int = WIDEST) -> str:
    """Break a long label between its words."""
    return fill(label, width, break_long_words=False, break_on_hyphens=False)


def number(text: str) -> float | None:
    """Return the number that the text spells, if it does."""
    try:
        return float(text)
    except ValueError:
        return None


def labels(groups: Sequence[Group], look: Look = PAGE) -> dict[Group, str]:
    """Return a short name of each group: of the words that not all groups have, as much of each key and value as distinguishes it,
    or the user's own words for it; where these are empty, nothing. Raises UserError if two groups are then called the same.

    A key is not shortened to what another key of the configuration is called, or looks like.
    """
    common = common_words(groups)
    words = {word for group in groups for word in group.settings if word not in common}
    short = {word: f"{_key(word, words)}={_value(word, words)}" if "=" in word else word for word in words}
    own = {word: look.word(word, text) for word, text in short.items()}
    comma = ", " if own != short else " "
    shown = {group: [own[word] for word in group.settings if word not in common and own[word]] for group in groups}
    result = {group: comma.join(words) or group.name for group, words in shown.items()}
    for group, name in result.items():
        same = next((other for other in groups if other.settings != group.settings and result[other] == name), None)
        require(same is None, f"label: two groups would be called {name}: {group.name}, and {same.name if same else ''}.")
    return result


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
