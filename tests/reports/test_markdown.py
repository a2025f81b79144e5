"""Text from elsewhere is read as it is written, in Markdown and in tables; markdown-it, which rich brings, is the witness."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from csrgan.evaluation import results
from csrgan.files import table_cell
from csrgan.reports import markdown

HOSTILE = [
    "a|b",
    "*bold* _it_ `code` ~~gone~~",
    "<script>alert(1)</script>",
    "[here](javascript:alert(1))",
    "![picture](http://127.0.0.1/a.png)",
    "# heading",
    "> quoted",
    "two\nlines | three",
    "back\\slash \\| \\`",
    "&lt;b&gt; &amp;",
    "blur_std=3 __init__ snake_case_",
    "---",
]


def cells(text: str) -> list[str]:
    """The cells of a table of one row, as a reader sees them."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inline = [token for token in tokens if token.type == "inline"]
    assert all(child.type in ("text", "text_special") for token in inline for child in token.children or [])
    return ["".join(child.content for child in token.children or []) for token in inline]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_read_as_it_is_written(text: str) -> None:
    assert cells(markdown.table([["heading", "other"], [text, "end"]]))[2:] == [" ".join(text.split()), "end"]


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]) | st.sampled_from("|*_`<>[]()#\\~&! "), max_size=30)
)
def test_any_cell_is_read_as_it_is_written(text: str) -> None:
    assert cells(markdown.table([["heading", "other"], [f"x{text}x", "end"]]))[2:] == [" ".join(f"x{text}x".split()), "end"]


def test_intervals_and_names_stay_plain() -> None:
    for text in ("+0.92 [+0.40, +1.59]", "loss.image.weight=3", "blur_std, px", "-0.5%"):
        assert markdown.escaped(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK()"]
)
def test_a_cell_is_no_formula(text: str) -> None:
    assert table_cell(text)[0] in "'\\"
    assert "\n" not in table_cell(text)


@pytest.mark.parametrize("text", ["-1", "+0.92 [+0.40, +1.59]", "-0.5%", "1e-05", "+1e+03", "a.png", "24.09"])
def test_a_number_stays_one(text: str) -> None:
    assert table_cell(text) == text


def test_the_rows_of_a_run_hold_no_formula(tmp_path: Path) -> None:
    results.write(tmp_path / "results.csv", [{"image": "=cmd|' /C calc'!A0.png", "shift_red": -0.5}])
    (row,) = csv.DictReader((tmp_path / "results.csv").open())
    assert row == {"image": "'=cmd|' /C calc'!A0.png", "shift_red": "-0.5"}
