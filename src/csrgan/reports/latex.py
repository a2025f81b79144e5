"""A table as LaTeX with booktabs: two lines a method, the means and below them their intervals."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence

from csrgan.evaluation.results import PICTURES
from csrgan.reports.look import Look
from csrgan.reports.paper_table import Cell, Column, PaperTable

SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # \textquotedbl needs another font encoding than LaTeX's default
    "'": "'",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # no ligatures: -- would be a dash
    **{letter: f"{{{letter}}}" for letter in "[]*"},  # behind \\\\, the first of a line would be read as its option
    "…": r"\dots{}",
    "−": r"$-$",
    "×": r"$\times$",
    "²": r"\textsuperscript{2}",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "λ": r"$\lambda$",
    "θ": r"$\theta$",
}
MARKS = {"+": r"\textsuperscript{+}", "-": r"\textsuperscript{$-$}", "*": r"\textsuperscript{$\ast$}"}
LAST, KNOWN = "\u017f", "–—‘’“”„†‡•€™"  # the last Latin letter that pdfLaTeX prints, and what it prints of the letters behind it
LETTER = 0.068  # inches of a letter in \small, about
SMALLEST = 1.3  # a table is made smaller by this, at most, before it gets another panel
TALL = 42  # lines of tables on a page, beside a caption
HEAD = 4  # lines of a panel above its rows, about


def escaped(text: str) -> str:
    """Return any text as LaTeX that prints it in one line. theta^ prints as the estimate that it is."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    parts = line.split("theta^")
    return r"$\hat{\theta}$".join("".join(SPECIAL.get(letter, letter) for letter in part) for part in parts)


def document(table: PaperTable, look: Look, *, relevant: float) -> str:
    """Return table.tex: floats that a paper includes by \\input{table.tex}. A table of many test sets has several panels, and
    another float where these are taller than a page."""
    first, *others = _floats(table, look)
    text = _float(first, [f"\\caption{{{_caption(table, relevant)}}}", "\\label{tab:csrgan}"], look)
    for panels in others:
        text += _float(panels, ["\\addtocounter{table}{-1}", "\\caption{Continued.}"], look)
    packages = "packages booktabs and graphicx" if any("\\resizebox" in line for line in text) else "package booktabs"
    rare = "".join(sorted({letter for letter in "".join(text) if letter > LAST and letter not in KNOWN}))
    lines = [
        f"% Written by csrgan report. Needs the {packages}.",
        *([f"% Needs LuaLaTeX or XeLaTeX for {rare}"] if rare else []),
        *text,
    ]
    return "\n".join(lines) + "\n"


def _floats(table: PaperTable, look: Look) -> Iterator[list[str]]:
    """Yield the panels of each float."""
    panels: list[str] = []
    tallest = max([2, *(len(_name_lines(name, look)) for block in table.blocks for name in block.rows)])
    for part in _parts(table, look):
        for piece in part.in_parts(TALL - HEAD, tallest):
            panel = _panel(piece, look)
            if panels and sum(_lines(each) for each in [*panels, panel]) > TALL:
                yield panels
                panels = []
            panels.append(panel)
    yield panels


def _lines(panel: str) -> int:
    """Return how many lines a panel takes, with the room below it."""
    return panel.count("\\\\") + 2


def _float(panels: Sequence[str], caption: Sequence[str], look: Look) -> list[str]:
    star = "" if look.narrow else "*"
    return [
        f"\\begin{{table{star}}}[tp]",
        "\\centering\\small",
        *caption,
        "\\par\\medskip",  # LaTeX's own classes leave no room below a caption
        "\n\\par\\medskip\n".join(panels),
        f"\\end{{table{star}}}",
    ]


def _parts(table: PaperTable, look: Look) -> Iterator[PaperTable]:
    """Yield the table in parts of whole test sets, each about as wide as a page or a column allows; a test set that is wider itself
    is divided between its scores."""
    groups = [list(each) for _, each in itertools.groupby(range(len(table.columns)), key=lambda index: table.columns[index].above)]
    pieces: list[list[int]] = []
    for group in groups:
        pieces += [[index] for index in group] if _too_wide(table.only(group), look) else [group]
    part: list[int] = []
    for piece in pieces:
        if part and _too_wide(table.only([*part, *piece]), look):
            yield table.only(part)
            part = []
        part += piece
    yield table.only(part)


def _too_wide(table: PaperTable, look: Look) -> bool:
    return _width(table, look) > SMALLEST * look.inches


def _panel(table: PaperTable, look: Look) -> str:
    """Return a tabular, made smaller if it is too wide."""
    lines = [
        f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        "\\toprule",
        *_head(table.columns, look),
        "\\midrule",
        *_body(table, look),
        "\\bottomrule",
        "\\end{tabular}%",
    ]
    titles = LETTER * max(len(block.title) for block in table.blocks)
    if max(titles, _width(table, look)) > look.inches:
        lines = ["\\resizebox{\\linewidth}{!}{%", *lines, "}"]
    return "\n".join(lines)


def _head(columns: Sequence[Column], look: Look) -> Iterator[str]:
    """Yield the headings: the test sets over their scores, if there are several."""
    if any(column.above for column in columns):
        groups = [(above, len(list(each))) for above, each in itertools.groupby(columns, key=lambda column: column.above)]
        yield " & ".join(["", *(f"\\multicolumn{{{count}}}{{c}}{{{escaped(above)}}}" for above, count in groups)]) + " \\\\"
        ends = itertools.accumulate((count for _, count in groups), initial=1)
        yield "".join(f"\\cmidrule(lr){{{first + 1}-{last}}}" for first, last in itertools.pairwise(ends))
    yield " & ".join(["", *(_heading(column, look) for column in columns)]) + " \\\\"


def _heading(column: Column, look: Look) -> str:
    """Return the user's own words for a score, or its name and unit; and an arrow in the direction that is better."""
    target = column.score.target
    arrow = "" if not math.isinf(target) else r" $\uparrow$" if target > 0 else r" $\downarrow$"
    return escaped(_words(column, look)) + arrow


def _words(column: Column, look: Look) -> str:
    unit = f" ({column.score.unit})" if column.score.unit else ""
    return look.names.get(column.score.column) or f"{column.score.name}{unit}"


def _body(table: PaperTable, look: Look) -> Iterator[str]:
    """Yield the rows; a name of more letters goes on in the line of the intervals, and below."""
    for index, block in enumerate(table.blocks):
        if index:
            yield "\\midrule"
        if block.title:
            yield f"\\multicolumn{{{len(table.columns) + 1}}}{{l}}{{\\emph{{{escaped(block.title)}}}}} \\\\"
        for name, row in block.rows.items():
            first, *others = _name_lines(name, look)
            yield " & ".join([escaped(first), *map(_mean, row)]) + " \\\\[-2pt]"
            yield " & ".join([escaped(others[0]) if others else "", *map(_interval, row)]) + " \\\\"
            yield from (f"{escaped(line)}{' &' * len(row)} \\\\" for line in others[1:])


def _mean(cell: Cell | None) -> str:
    if cell is None or cell.number.mean is None:
        return "--"
    text = _number(cell.text(cell.number.mean.mean))
    return (f"\\textbf{{{text}}}" if cell.best else text) + MARKS.get(cell.mark, "")


def _interval(cell: Cell | None) -> str:
    if cell is None or cell.number.mean is None:
        return ""
    low, high = (_number(cell.text(value)) for value in (cell.number.mean.low, cell.number.mean.high))
    return f"{{\\scriptsize [{low}, {high}]}}"


def _number(text: str) -> str:
    """Return a number with a minus instead of a hyphen."""
    return text.replace("-", "$-$")


def _caption(table: PaperTable, relevant: float) -> str:
    """Return what a reader must know about the numbers and marks of the table."""
    means = [cell.number.mean for cell in table.cells if cell.number.mean]
    seeds, pictures = (_range([getattr(mean, what) for mean in means], what) for what in ("seeds", "pictures"))
    said = [f"Means over {seeds} and {pictures}, with 95 % bootstrap intervals over them below."]
    if any(cell.best for cell in table.cells):
        said.append("Bold: the best of its column" + (" on a test set." if len(table.blocks) > 1 else "."))
    said += _marks(table, relevant)
    fewest = min((mean.pictures for mean in means), default=PICTURES)
    if fewest < PICTURES:
        said.append(f"{fewest} pictures are too few to generalise to others.".replace("1 pictures are", "1 picture is"))
    return escaped(" ".join(said)).replace(" \\%", "~\\%")


def _marks(table: PaperTable, relevant: float) -> Iterator[str]:
    marks = {cell.mark for cell in table.cells}
    against = table.baseline or "the baseline of its test set"
    if marks & {"+", "-"}:
        yield f"+ and −: better or worse than {against};"
    if "*" in marks:
        yield f"*: other than {against};"
    if marks - {""}:
        yield f"the 95 % interval of the paired difference excludes 0, and the difference is at least {relevant:g} dB or what"
        yield "corresponds to it."


def _range(counts: Sequence[int], what: str) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low} {what if low != 1 else what[:-1]}" if low == high else f"{low} to {high} {what}"


def _width(table: PaperTable, look: Look) -> float:
    """Return about how wide the columns of the table are together, in inches."""
    names = max((len(line) for block in table.blocks for name in block.rows for line in _name_lines(name, look)), default=0)
    letters = [max(len(_words(column, look)) + 2, *_lengths(table, index)) for index, column in enumerate(table.columns)]
    return LETTER * (names + sum(letters)) + 0.17 * len(letters)


def _letters(look: Look) -> int:
    """Return how many letters of a name stand in a line, unless a single word has more: a third of the width."""
    return int(look.inches / 3 / LETTER)


def _name_lines(name: str, look: Look) -> list[str]:
    return textwrap.wrap(name, _letters(look), break_on_hyphens=False)


def _lengths(table: PaperTable, index: int) -> list[int]:
    """Return how many letters of \\small each interval of a column is wide."""
    cells = [row[index] for block in table.blocks for row in block.rows.values()]
    means = [cell.number.mean for cell in cells if cell and cell.number.mean]
    return [0] + [int(0.8 * (2 * len(table.columns[index].score.text(mean.mean)) + 4)) for mean in means]
