"""The records of design decisions have one form, stand in the table, and name files and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import ROOT

FOLDER = ROOT / "docs" / "explanation" / "decisions"
PAGES = sorted(file for file in FOLDER.glob("*.md") if file.name != "index.md")
RECORD = re.compile(
    r"\((?P<label>decision-[a-z0-9-]+)\)=\n"
    r"## (?P<title>[^\n]+)\n\n"
    r"Date: (?P<date>2\d{3}-\d\d-\d\d)\. Status: (?:in force|replaced by \[[^\]]+\]\([^)]+\))\n\n"
    r"\*\*Context\.\*\* (?:(?!\n## ).)+\n\n\*\*Decision\.\*\* (?:(?!\n## ).)+\n\n\*\*Consequences\.\*\* (?:(?!\n## ).)+",
    re.DOTALL,
)


def _records(file: Path) -> list[re.Match[str]]:
    """Return the record in each section of a page; a section without one fails."""
    sections = re.split(r"^(?=\(decision-)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    records = [RECORD.match(section) for section in sections]
    wrong = [section.split("\n")[0] for section, record in zip(sections, records, strict=True) if record is None]
    assert not wrong, f"{file.name}: these records have another form: {wrong}"
    return [record for record in records if record]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_every_section_is_a_record(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(_records(file)) == len(re.findall(r"^## ", text, re.MULTILINE)) > 0


def test_the_table_lists_every_record_and_no_other() -> None:
    rows = re.findall(r"^\| (\S+) \| \[([^\]]+)\]\(([\w-]+)\.md#([\w-]+)\) \|", (FOLDER / "index.md").read_text(), re.MULTILINE)
    assert rows == [
        (record["date"], record["title"], file.stem, record["label"])
        for name in dict.fromkeys(row[2] for row in rows)
        for file in (FOLDER / f"{name}.md",)
        for record in _records(file)
    ]
    assert {row[2] for row in rows} == {file.stem for file in PAGES}
    assert len({row[3] for row in rows}) == len(rows)


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_files_and_tests_that_a_record_names_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    roots = (ROOT, ROOT / "src" / "csrgan")
    paths = re.findall(r"`([\w.]+(?:/[\w.]+)*(?:\.(?:py|yaml|md)|/))`|`(tests/[\w/]+)`", text)
    names = {one or other for one, other in paths} - {"metrics.csv"}
    assert [name for name in names if not any((root / name).exists() for root in roots)] == []
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in set(re.findall(r"`(test_\w+)`", text)) if f"def {name}(" not in sources] == []
