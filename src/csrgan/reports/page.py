"""A sweep on one page: self-contained HTML, with its tables as csv and Markdown and its charts as PNG, all computed from rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Template
from matplotlib.figure import Figure

from csrgan import run_folder
from csrgan.evaluation.comparison import Difference, Group, Job, grouped, references
from csrgan.files import table_cell
from csrgan.reports import (
    album,
    chart,
    columns,
    effects,
    maps,
    markdown,
    offline,
    predictions,
    rows,
    training,
    uncertainty,
    verdicts,
)

Table = Sequence[Sequence[str]]  # headings first

LIMIT = 30_000_000  # bytes of the page, at most
SPARE = 500_000  # bytes of them that pictures may not use: a margin for errors of the estimate


def write(
    folder: Path,
    jobs: Sequence[Job],
    *,
    title: str,
    question: str,
    baseline: str | None = None,
    score: str = "gain",
    published: Table = (),
) -> Path:
    """Write report.html, report.csv, report.md, rows.csv and figures/ into the sweep's folder. Return the page.

    baseline: words in the settings of the groups to compare the others with; None: the first group of those scored on the same
    photographs and degradations. score: the column of differences, intervals and charts. published: the table of published numbers
    beside those of the jobs.
    """
    chosen = columns.score_of(score)
    compared = references(grouped(jobs), baseline)
    labels = chart.labels(list(compared))
    differences = verdicts.compared(compared, chosen)
    lines = verdicts.table(
        compared, differences, labels, scores=columns.table_scores(jobs, score), chosen=chosen, baseline=baseline
    )
    tables: dict[str, Table] = {"Published, beside what was measured here": published}
    tables |= {"Diagnostics, means over the run": training.diagnostics(list(compared)), "Costs": training.costs(list(compared))}
    rows.write(folder / run_folder.ROWS, jobs)
    every = _every(list(compared))
    full = {label: group.name for group, label in labels.items() if label != group.name}
    heading = f"# {markdown.escaped(title)}\n\n{markdown.escaped(question)}\n\n" + (
        f"{markdown.escaped(every)}\n\n" if every else ""
    )
    _tables(folder, lines, tables, labels, heading=heading)
    content = {
        "title": title,
        "question": question,
        "notes": [verdicts.rule(baseline), verdicts.note(compared, differences, chosen)] if compared else ["No job is complete."],
        "every": every,
        "full": full,
        "lines": _short(lines, labels),
        "charts": _charts(folder / run_folder.FIGURES, compared, differences, chosen),
        "tables": {name: _short(table, labels) for name, table in tables.items() if table},
        "jobs": jobs,
        "complete": sum(not job.reason for job in jobs),
        "limit": f"{LIMIT // 1_000_000} MB",
    }
    template = offline.template("page.html")
    budget = LIMIT - SPARE - len(_rendered(template, content, []).encode())
    (folder / run_folder.PAGE).write_text(
        _rendered(template, content, album.matrices(compared, labels, chosen, budget)), encoding="utf-8"
    )
    return folder / run_folder.PAGE


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


def _charts(
    folder: Path, compared: Mapping[Group, Group], differences: Mapping[Group, Difference | None], chosen: columns.Score
) -> list[dict[str, str]]:
    """Write each chart as a file, and return its name, caption and data URI."""
    groups = list(compared)
    if not groups:
        return []
    some = f" The first {chart.SHOWN} of {len(groups)} groups." if len(groups) > chart.SHOWN else ""
    figures: list[tuple[str, str, Figure | None]] = [
        (
            "over_" + re.sub(r"[^\w.-]", ".", key)[:60],
            f"{chosen.name} over {key}. Bars: deviation over seeds.",
            effects.over_factor(groups, key, chosen),
        )
        for key in effects.numeric_factors(groups)
    ]
    if len(groups) > 1:
        text = f"Difference in {chosen.name} to the baseline, with 95 % intervals; {chosen.better}."
        figures.append(("differences", text, effects.against_baseline(differences, compared, chosen)))
    perceptual = "perceptual_restored" in columns.present(job for group in groups for job in group.jobs)
    figures += [
        ("perception_distortion", "Perception and distortion.", effects.perception_distortion(groups) if perceptual else None),
        ("iterations", "PSNR and the error of theta^ after each iteration.", training.iterations(groups)),
        ("grid", f"{chosen.name} over blur, noise and scale.{some}", maps.over_grid(groups, chosen)),
        (
            "predictions",
            f"Predicted against true parameters, with standard deviations.{some}{uncertainty.without_bound(groups)}",
            predictions.against_truth(groups),
        ),
        (
            "bound",
            f"Error of theta^ beside the Cramer-Rao bound, the least of any unbiased estimator.{some}",
            uncertainty.against_bound(groups),
        ),
        ("reliability", f"Observed over nominal coverage of the predicted intervals.{some}", uncertainty.reliability(groups)),
        ("curves", f"Learning curves: {chosen.name} at each evaluation.", training.curves(groups, chosen)),
    ]
    shown = [(name, text, figure) for name, text, figure in figures if figure]
    return [
        {"name": name, "text": text[0].upper() + text[1:], "uri": chart.save(figure, folder / f"{name}.png")}
        for name, text, figure in shown
    ]
