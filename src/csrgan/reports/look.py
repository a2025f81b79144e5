"""How charts and tables look: their width, font and colours, and the words for settings, scores and parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypedDict

import matplotlib as mpl
from matplotlib import font_manager

from csrgan.degradation.parameters import NAMES
from csrgan.errors import UserError, require
from csrgan.evaluation.comparison import Job
from csrgan.reports.columns import Score, present

WIDTHS = {"column": 3.3, "page": 6.9}  # inches: of a column, and of the text of a page with two

# Colours that colour-blind readers tell apart (Okabe and Ito 2008). Black is for references; yellow is too pale for lines on white.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
GREY = "#777777"

GENERIC = ("serif", "sans-serif", "monospace", "cursive", "fantasy")
PLAIN_STYLE: dict[Any, Any] = {
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "figure.facecolor": "white",
    "font.size": 8,
    "legend.fontsize": 7,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,  # publishers refuse the other kind
    "svg.hashsalt": "csrgan",  # without it, the names of an SVG's parts are drawn
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}

# What axes say of settings whose keys say little, with their units.
AXES = {
    "degradation.blur.high": "largest blur of the training, in the unit of its protocol",
    "degradation.noise.high": "largest noise std of the training, share of full scale",
    "degradation.scale.high": "largest scale of the training",
    "trainer.images": "training crops seen",
    "data.crop": "side of a training crop, px",
    "data.batch_size": "crops of a batch",
}


class Style(TypedDict):
    """Keyword arguments of a matplotlib line."""

    color: str
    linestyle: str
    marker: str


@dataclass(frozen=True)
class Look:
    """inches: width of a chart. font: a family that matplotlib knows; None: its own. names: the user's own words for a score, a
    setting (`system=dan`), the key or the value of one, or a test set."""

    inches: float = WIDTHS["page"]
    font: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def word(self, word: str, short: str) -> str:
        """Return what a legend calls a setting such as `system=dan`: the user's own words for it, for its value, or for its key;
        nothing if these are empty."""
        key, _, value = word.partition("=")
        own = next((self.names[name] for name in (word, value) if name in self.names), None)
        if own is None and key in self.names:
            own = f"{self.names[key]} {value}" if self.names[key] else ""
        return short if own is None else own

    def key(self, key: str) -> str:
        """Return what an axis calls the key of a setting."""
        *_, kind, last = ["", *key.split(".")]
        words = f"weight of the {kind.replace('_', ' ')} loss" if key.startswith("loss.") and last == "weight" else key
        return self.names.get(key) or AXES.get(key) or words.replace(".", " ").replace("_", " ")

    def score(self, score: Score) -> str:
        """Return what an axis calls a score, with its unit."""
        return self.names.get(score.column) or score.title

    def named(self, score: Score) -> Score:
        """Return a score whose headings are the user's own words, if there are any."""
        return score._replace(words=self.names.get(score.column, ""))

    @property
    def narrow(self) -> bool:
        return self.inches < 4.5

    def letters(self, share: float, points: float = 7) -> int:
        """Return how many letters of this size fit into a share of the width."""
        return max(12, int(share * self.inches / (0.0088 * points)))


PAGE = Look()


def known(jobs: Sequence[Job]) -> set[str]:
    """Return what a label may rename: settings, their keys and values, scores, parameters and folders of pictures."""
    words = {word for job in jobs for word in job.words if "=" in word}
    parts = {part for word in words for part in word.split("=", 1)}
    rows = [row for job in jobs for row in job.rows]
    folders = {str(row["image"]).rpartition("/")[0] for row in rows}
    parameters = {name for name in NAMES if rows}
    return (words | parts | {*present(jobs)} | folders | parameters) - {""}


def checked(
    width: str, font: str | None, labels: Sequence[str], known: Collection[str], written: Callable[[str], str] = str
) -> Look:
    """Return the look that the user asked for. labels: `KEY=TEXT` each. written: a key as the known ones are written, numbers too.
    Raises UserError for an unknown font or key."""
    if font is not None:
        families = {*GENERIC, *font_manager.get_font_names()}
        require(font in families, str(UserError.unknown("font", font, families)))
    return Look(WIDTHS[width], font, dict(_label(label, known, written) for label in labels))


def _label(label: str, known: Collection[str], written: Callable[[str], str]) -> tuple[str, str]:
    """Return key and text of a label; empty text leaves a setting out. The key may hold a =: the longest that is known counts."""
    parts = label.split("=")
    for count in range(len(parts) - 1, 0, -1):
        key, text = written("=".join(parts[:count])), "=".join(parts[count:])
        if key in known:
            text = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
            setting = "=" in key or any(word.startswith(f"{key}=") for word in known)
            require(setting or bool(text.strip()), f"label.{key}= is empty: give the words to show.")
            return key, " ".join(text.split())
    raise UserError.unknown("label", parts[0], known)


@contextmanager
def drawing(look: Look) -> Iterator[None]:
    """Draw in this look while the context lasts."""
    family: dict[Any, Any] = {"font.family": look.font} if look.font else {}
    with mpl.rc_context({**PLAIN_STYLE, **family}):
        yield


def style(index: int) -> Style:
    """Return colour, line and marker of the group with this index; the first thirty-six differ."""
    turn = index // len(COLOURS)
    markers = "osD^vP"
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": ("-", "--", ":")[turn % 3],
        "marker": markers[(index + turn) % len(markers)],
    }
