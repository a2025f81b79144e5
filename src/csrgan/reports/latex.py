"""A table as LaTeX with booktabs: two lines a method, the means and below them their intervals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

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
    '"': r"\textquotedbl{}",
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
LETTER = 0.068  # inches of a letter in \small, about


def escaped(text: str) -> str:
    """Return any text as LaTeX that prints it in one line. theta^ prints as the estimate that it is."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    parts = line.split("theta^")
    return r"$\hat{\theta}$".join("".join(SPECIAL.get(letter, letter) for letter in part) for part in parts)


def document(table: PaperTable, look: Look, *, relevant: float) -> str:
    """Return table.tex: a float that a paper includes by \\input{table.tex}."""
    star = "" if look.narrow else "*"
    wide = _width(table) > look.inches
    packages = "booktabs and graphicx" if wide else "booktabs"
    before, after = (["\\resizebox{\\linewidth}{!}{%"], ["}"]) if wide else ([], [])
    lines = [
        f"% Written by csrgan report. Needs the {'packages' if wide else 'package'} {packages}.",
        f"\\begin{{table{star}}}[t]",
        "\\centering\\small",
        f"\\caption{{{_caption(table, relevant)}}}",
        "\\label{tab:csrgan}",
        *before,
        f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        "\\toprule",
        *_head(table.columns),
        "\\midrule",
        *_body(table),
        "\\bottomrule",
        "\\end{tabular}%",
        *after,
        f"\\end{{table{star}}}",
    ]
    return "\n".join(lines) + "\n"


def _head(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the headings: the test sets over their scores, if there are several."""
    if any(column.above for column in columns):
        groups = [(above, len(list(each))) for above, each in itertools.groupby(columns, key=lambda column: column.above)]
        yield " & ".join(["", *(f"\\multicolumn{{{count}}}{{c}}{{{escaped(above)}}}" for above, count in groups)]) + " \\\\"
        ends = itertools.accumulate((count for _, count in groups), initial=1)
        yield "".join(f"\\cmidrule(lr){{{first + 1}-{last}}}" for first, last in itertools.pairwise(ends))
    yield " & ".join(["", *map(_heading, columns)]) + " \\\\"


def _heading(column: Column) -> str:
    """Return a score's name with its unit, and an arrow in the direction that is better."""
    target = column.score.target
    arrow = "" if not math.isinf(target) else r" $\uparrow$" if target > 0 else r" $\downarrow$"
    unit = f" ({escaped(column.score.unit)})" if column.score.unit else ""
    return f"{escaped(column.score.name)}{unit}{arrow}"


def _body(table: PaperTable) -> Iterator[str]:
    for index, block in enumerate(table.blocks):
        if index:
            yield "\\midrule"
        if block.title:
            yield f"\\multicolumn{{{len(table.columns) + 1}}}{{l}}{{\\emph{{{escaped(block.title)}}}}} \\\\"
        for name, row in block.rows.items():
            yield " & ".join([escaped(name), *map(_mean, row)]) + " \\\\[-2pt]"
            yield " & ".join(["", *map(_interval, row)]) + " \\\\"


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
    return escaped(" ".join(said))


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


def _width(table: PaperTable) -> float:
    """Return about how wide the table is, in inches."""
    names = max((len(name) for block in table.blocks for name in block.rows), default=0)
    letters = [max(len(column.score.heading) + 3, *_lengths(table, index)) for index, column in enumerate(table.columns)]
    return LETTER * (names + sum(letters)) + 0.17 * len(letters)


def _lengths(table: PaperTable, index: int) -> list[int]:
    cells = [row[index] for block in table.blocks for row in block.rows.values()]
    means = [cell.number.mean for cell in cells if cell and cell.number.mean]
    return [0] + [int(0.8 * (2 * len(table.columns[index].score.text(mean.mean)) + 4)) for mean in means]
