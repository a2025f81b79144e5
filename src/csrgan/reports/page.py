"""A sweep on one page: self-contained HTML, with its tables as csv, Markdown and LaTeX and its charts as SVG, PDF and PNG, all
computed from rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template

from csrgan import run_folder
from csrgan.evaluation.comparison import Group, Job, counted, grouped, references, score
from csrgan.files import table_cell
from csrgan.reports import (
    album,
    chart,
    charts,
    columns,
    latex,
    markdown,
    numbers,
    offline,
    paper_table,
    race,
    rows,
    sets,
    training,
    turning,
    verdicts,
)
from csrgan.reports.look import PAGE, Look

Table = Sequence[Sequence[str]]  # headings first

LIMIT = 30_000_000  # bytes of the page, at most
SPARE = 500_000  # bytes of them that pictures may not use: a margin for errors of the estimate


@dataclass(frozen=True)
class Asked:
    """What a user asks of a report.

    baseline: words in the settings of the groups to compare the others with; None: the first group of those scored on the same
    photographs and degradations. score: the column of differences, verdicts and charts. relevant: the least difference that is
    better or worse, dB. table: rows of the table for a paper: groups, or sets for methods over test sets. scores: its columns;
    none: all of the page. look: of charts and tables. reach: values of the score, see `race`.
    """

    baseline: str | None = None
    score: str = "gain"
    relevant: float = columns.RELEVANT
    table: str = "groups"
    scores: Sequence[str] = ()
    look: Look = PAGE
    reach: Sequence[float] = ()


def write(
    folder: Path,
    jobs: Sequence[Job],
    *,
    title: str,
    question: str,
    asked: Asked = Asked(),
    published: Table = (),
    advice: str = "",
) -> Path:
    """Write report.html, report.csv, report.md, rows.csv, numbers.csv, table.tex and figures/ into the sweep's folder. Return the
    page. published: the table of published numbers beside those of the jobs. advice: what to do about several test sets."""
    chosen, groups = asked.look.named(columns.score_of(asked.score)), grouped(jobs)
    compared = references(groups, asked.baseline)
    labels = chart.labels(list(compared), asked.look)
    differences = verdicts.compared(compared, chosen, asked.relevant)
    found = sets.whole(list(compared), asked.look)
    scores = [*map(asked.look.named, columns.table_scores(jobs, asked.score))]
    lines = verdicts.table(compared, differences, labels, scores=scores, chosen=chosen, baseline=asked.baseline, found=found)
    tables, every_number = _for_paper(folder, list(compared), found, labels, jobs, asked)
    timed = race.table(list(compared), chosen, asked.reach)
    tables = {
        "Race, minutes of training until a score, with 95 % intervals": timed,
        "Published, beside what was measured here": published,
        **tables,
    }
    tables |= {"Diagnostics, means over the run": training.diagnostics(list(compared)), "Costs": training.costs(list(compared))}
    rows.write(folder / run_folder.ROWS, jobs)
    every = _every(list(compared))
    apart = sets.apart(found)
    heading = f"# {markdown.escaped(title)}\n\n{markdown.escaped(question)}\n\n"
    notes = verdicts.notes(compared, differences, chosen, asked.baseline, asked.relevant)
    notes += turning.sentences(compared, chosen, asked.relevant)
    notes += training.without_diagnostics(list(compared)) + training.weak_losses(list(compared)) + training.other_shares(compared)
    unfinished = f"{counted(jobs)}." if any(job.reason for job in jobs) else ""
    sets_apart = [text for text in (apart, advice) if text]
    heading += "".join(f"{markdown.escaped(text)}\n\n" for text in (unfinished, every, *sets_apart, *notes) if text)
    _tables(folder, lines, tables, labels, heading=heading)
    content: dict[str, object] = {
        "title": title,
        "question": question,
        "notes": [*sets_apart, *notes],
        "every": every,
        "full": {label: group.name for group, label in labels.items() if label != group.name},
        "lines": _short(lines, labels),
        "numbers": every_number,
        "charts": charts.write(folder / run_folder.FIGURES, compared, differences, chosen, asked.look, asked.reach),
        "tables": {name: _short(table, labels) for name, table in tables.items() if table},
        "jobs": jobs,
        "scores": {job.name: chosen.named(score(job.rows, chosen.column)) for job in jobs if job.rows},
        "complete": counted(jobs),
        "limit": f"{LIMIT // 1_000_000} MB",
    }
    template = offline.template("page.html")
    budget = LIMIT - SPARE - len(_rendered(template, content, []).encode())
    (folder / run_folder.PAGE).write_text(
        _rendered(template, content, album.matrices(compared, labels, chosen, budget)), encoding="utf-8"
    )
    return folder / run_folder.PAGE


def _for_paper(
    folder: Path,
    groups: Sequence[Group],
    found: Sequence[sets.Scored],
    labels: Mapping[Group, str],
    jobs: Sequence[Job],
    asked: Asked,
) -> tuple[dict[str, Table], Table]:
    """Write numbers.csv and table.tex. Return the table of methods and test sets, if it is asked for, and every number for the
    page. found, labels: of the groups."""
    if not groups:
        return {}, []
    names = [columns.score_of(name) for name in asked.scores] or columns.table_scores(jobs, asked.score)
    scores = [*map(asked.look.named, names)]
    of_sets = asked.table == "sets"
    if of_sets:
        found = sets.split(groups, asked.look)
        labels = chart.labels([method for each in found for method in each.methods], asked.look)
    numbers_found = numbers.measured(found, scores, asked.baseline, asked.relevant)
    numbers.write(folder / run_folder.NUMBERS, numbers_found, labels)
    table = (paper_table.of_sets if of_sets else paper_table.of_groups)(numbers_found, labels, scores)
    text = latex.document(table, asked.look, relevant=asked.relevant)
    (folder / run_folder.LATEX).write_text(text, encoding="utf-8")
    shown: dict[str, Table] = {"Sets, mean scores of each method with 95 % intervals": paper_table.lines(table)} if of_sets else {}
    return shown, numbers.lines(numbers_found, labels)


def _rendered(template: Template, content: dict[str, object], matrices: Sequence[album.Matrix]) -> str:
    return offline.rendered(template, ["page.js"], content | {"matrices": matrices})


def _every(groups: Sequence[Group]) -> str:
    """Return a sentence with the words that all groups have, which no name of a group repeats; empty if there are none."""
    words = dict.fromkeys([*(groups[0].shared if groups else ()), *chart.common_words(groups)])
    return f"Every group has {' '.join(words)}." if words else ""


def _short(lines: Sequence[Sequence[str]], labels: Mapping[Group, str]) -> list[Sequence[str]]:
    """Return a table with the short names of the groups, for the page and report.md."""
    names = {group.name: label for group, label in labels.items()}
    return [[names.get(line[0], line[0]), *line[1:]] for line in lines]


def _tables(folder: Path, lines: Table, others: Mapping[str, Table], labels: Mapping[Group, str], *, heading: str) -> None:
    """Write report.csv, a csv for each other table named by the first word of its title, and all of them in report.md, which has
    the short names of the groups and, below, what each stands for."""
    with (folder / run_folder.TABLES).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([table_cell(text) for text in line] for line in lines)
    text = heading + markdown.table(_short(lines, labels))
    for name, table in others.items():
        if table:
            with (folder / f"{name.split(',')[0].lower()}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([table_cell(value) for value in line] for line in table)
            text += f"\n{name}:\n\n" + markdown.table(_short(table, labels))
    full = [[label, group.name] for group, label in labels.items() if label != group.name]
    if full:
        text += "\nSettings in full:\n\n" + markdown.table([["name", "settings"], *full])
    (folder / run_folder.TEXT).write_text(text, encoding="utf-8")
