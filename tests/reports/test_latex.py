r"""The table for a paper: its structure, its marks, and what TeX makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from studies import groups

from csrgan.reports import chart, columns, latex, numbers, paper_table, sets
from csrgan.reports.look import PAGE, Look
from csrgan.reports.paper_table import PaperTable

GAIN, SSIM, HF = (columns.score_of(name) for name in ("gain", "ssim_restored", "hf_ratio_restored"))


def table(look: Look = PAGE, *, of_sets: bool = True, scores: tuple[columns.Score, ...] = (GAIN, SSIM)) -> PaperTable:
    found = (sets.split if of_sets else sets.whole)(groups(), look)
    labels = chart.labels([method for each in found for method in each.methods], look)
    measured = numbers.measured(found, scores, "system=dan", 0.05)
    return (paper_table.of_sets if of_sets else paper_table.of_groups)(measured, labels, scores)


def sound(text: str) -> None:
    """Every environment and brace is closed in order; every row of a tabular has as many cells as its columns."""
    open_environments: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            open_environments.append(name)
        else:
            assert open_environments.pop() == name
    assert not open_environments
    bare = re.sub(r"\\[\\{}%&]", "", text)
    depths = [bare[:end].count("{") - bare[:end].count("}") for end in range(0, len(bare) + 1)]
    assert min(depths) == depths[-1] == 0
    assert text.replace(r"\$", "").count("$") % 2 == 0
    for tabular in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, flags=re.DOTALL):
        count = len(re.match(r"\{(l?r+)\}", tabular)[1])
        rows = [line for line in tabular.splitlines() if re.search(r"\\\\(\[-2pt\])?$", line)]
        assert len(rows) > 4
        for row in rows:
            spans = [int(number) for number in re.findall(r"\\multicolumn\{(\d+)\}", row)]
            cells = len(re.findall(r"(?<!\\)&", row)) + 1
            assert cells - len(spans) + sum(spans) == count


@pytest.mark.parametrize("of_sets", [True, False])
@pytest.mark.parametrize("look", [PAGE, Look(3.3, names={"ours": "CSRGAN (50 % & more)_{a}", "gain": "gain, dB"})])
def test_the_table_is_sound_latex(look: Look, of_sets: bool) -> None:
    text = latex.document(table(look, of_sets=of_sets), look, relevant=0.05)
    sound(text)
    assert text.startswith("% Written by csrgan report. Needs the package")
    assert ("\\begin{table*}" in text) == (look is PAGE)
    for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
        assert rule in text
    assert ([r"CSRGAN", r"(50", r"\%", r"\&", r"more)\_\{a\}"][0] in text) == (look is not PAGE)


def test_the_best_is_bold_and_a_difference_is_marked() -> None:
    """Of gains of 1, 2 and 2.2 dB, the last is bold; SSIM is the same for all, and none is better for it."""
    found = table(scores=(GAIN, SSIM))
    rows = found.blocks[0].rows
    assert [[cell.best for cell in row[:2]] for row in rows.values()] == [[False, False], [False, False], [True, False]]
    assert [[cell.mark for cell in row[:2]] for row in rows.values()] == [["-", ""], ["", ""], ["+", ""]]
    text = latex.document(found, PAGE, relevant=0.05)
    assert len(re.findall(r"\\textbf\{\+2\.\d+\}\\textsuperscript\{\+\}", text)) == 4  # on each of the four sets
    assert "Bold: the best of its column." in text
    assert r"+ and $-$: better or worse than system=dan; the 95~\% interval of the paired difference excludes 0" in text
    assert text.count(r"\cmidrule(lr)") == 4
    assert text.count("Set14 bicubic") == 2


def test_a_score_without_a_direction_has_no_best() -> None:
    found = groups(scales=(2,))
    for job in (job for group in found for job in group.jobs):
        for row in job.rows:
            row["own_restored"] = row["psnr_restored"]
    scores = [columns.score_of("own_restored"), HF]
    measured = numbers.measured(sets.whole(found, PAGE), scores, None, 0.05)
    result = paper_table.of_groups(measured, chart.labels(found), scores)
    assert not any(cell.best for cell in result.cells)
    assert {cell.mark for cell in result.cells} == {"", "*"}
    text = latex.document(result, PAGE, relevant=0.05)
    assert text.count(" & --") == 3  # no method has the second score
    assert r"{*}: other than system=bicubic" in text
    sound(text)


def test_a_wide_table_has_several_panels_of_whole_sets() -> None:
    narrow = latex.document(table(Look(3.3)), Look(3.3), relevant=0.05)
    assert narrow.count("\\begin{tabular}") == 4
    assert latex.document(table(), PAGE, relevant=0.05).count("\\begin{tabular}") == 1


def test_a_set_wider_than_a_column_is_divided_between_its_scores() -> None:
    """No panel is shrunk below 1 / SMALLEST of its size, in which a paper can be read."""
    look = Look(3.3)
    names = ("gain", "psnr_restored", "ssim_restored", "perceptual_restored", "ciede2000_restored")
    wide = table(look, scores=tuple(columns.score_of(name) for name in names))
    text = latex.document(wide, look, relevant=0.05)
    sound(text)
    parts = list(latex._parts(wide, look))
    assert all(latex._width(part, look) <= latex.SMALLEST * look.inches for part in parts)
    assert [column for part in parts for column in part.columns] == wide.columns


def test_few_pictures_are_told_in_the_caption() -> None:
    assert "too few to generalise" not in latex.document(table(), PAGE, relevant=0.05)
    few = table()
    for cell in few.cells:
        cell.number = replace(cell.number, mean=cell.number.mean._replace(pictures=2))
    assert "2 pictures are too few to generalise to others." in latex.document(few, PAGE, relevant=0.05)


def test_a_table_taller_than_a_page_goes_on_in_another_float() -> None:
    """Panels are kept whole, rows are kept in order, and one label stands for all floats."""
    found = table()
    rows = found.blocks[0].rows
    found.blocks[0].rows = {f"method {index}": row for index, row in enumerate(list(rows.values()) * 20)}
    text = latex.document(found, PAGE, relevant=0.05)
    sound(text)
    floats = text.split("\\begin{table*}[tp]")[1:]
    assert len(floats) > 2
    assert [each.count("\\label") for each in floats] == [1] + [0] * (len(floats) - 1)
    assert all(each.count(r"\\") <= latex.TALL for each in floats)
    assert re.findall(r"^method (\d+)", text, re.MULTILINE) == [str(index) for index in range(len(found.blocks[0].rows))]
    assert text.count("Continued.") == text.count(r"\addtocounter{table}{-1}") == len(floats) - 1


def of_blocks(count: int, name: str) -> str:
    """Return the text of a table with a block of one row for each of so many test sets."""
    found = table(of_sets=False)
    row = next(iter(found.blocks[0].rows.values()))
    found.blocks = [paper_table.Block(f"set {index}", {name: row}) for index in range(count)]
    return latex.document(found, PAGE, relevant=0.05)


def test_titles_of_blocks_do_not_make_a_float_taller_than_a_page() -> None:
    text = of_blocks(30, "method")
    sound(text)
    floats = text.split("\\begin{table*}[tp]")[1:]
    assert len(floats) > 1 and text.count("\\emph{set ") == 30
    assert all(each.count(r"\\") <= latex.TALL for each in floats)


def test_a_row_that_is_taller_than_a_page_stands_alone() -> None:
    assert of_blocks(3, "a long name " * 200).count("\\begin{table*}[tp]") == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"50 % of a_b & $x$ #1 {y} \z", r"50 \% of a\_b \& \$x\$ \#1 \{y\} \textbackslash{}z"),
        ("a--b ~ ^ |d|", r"a{-}{-}b \textasciitilde{} \textasciicircum{} \textbar{}d\textbar{}"),
        ('<c> "e"', r"\textless{}c\textgreater{} ''e''"),
        ("error of theta^", r"error of $\hat{\theta}$"),
        ("a\nb\t\x07c", "a b ?c"),
        ("[4pt] * λ", r"{[}4pt{]} {*} $\lambda$"),
    ],
)
def test_any_text_prints_as_it_is(text: str, expected: str) -> None:
    assert latex.escaped(text) == expected
    sound("".join(latex.escaped(text)))


PAPER = r"""\documentclass[twocolumn]{article}
\usepackage{booktabs,graphicx}
\nofiles
\begin{document}
\input{table.tex}
\end{document}
"""
HARD = "50 % & more_{a} #1 $x ~^ <|> \"'` -- [*] … – − × ² μ σ λ θ theta^ \\a é ß Ł “a”"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex with booktabs, which is not installed here")
@pytest.mark.parametrize("of_sets", [True, False])
@pytest.mark.parametrize("look", [PAGE, Look(3.3, names={"ours": HARD, "gain": HARD})], ids=["page", "column"])
def test_tex_takes_the_table_without_a_complaint(look: Look, of_sets: bool, tmp_path: Path) -> None:
    """In the class and the font encoding that are LaTeX's own, and no line is wider than its column."""
    (tmp_path / "table.tex").write_text(latex.document(table(look, of_sets=of_sets), look, relevant=0.05), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(PAPER)
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "paper.tex"], cwd=tmp_path, capture_output=True, check=False)
    said = done.stdout.decode(errors="replace")
    assert (done.returncode, re.findall("^!.*|.*Warning.*|^Overfull.*|Missing character.*", said, re.MULTILINE)) == (0, []), said
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000


def test_letters_that_only_newer_tex_prints_are_named() -> None:
    look = Look(3.3, names={"ours": "日本 é “a”"})
    lines = latex.document(table(look), look, relevant=0.05).splitlines()
    assert lines[1] == "% Needs LuaLaTeX or XeLaTeX for 日本"
