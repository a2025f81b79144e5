"""Every link of the pages that are read in the repository itself arrives: at a file, and at a heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import ROOT

FILES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "experiments").rglob("README.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(file: Path) -> set[str]:
    """Return what headings of a page are called in links, as GitHub and MyST do."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_arrive(file: Path) -> None:
    for link in LINK.findall(CODE.sub("", file.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        goal = (file.parent / path).resolve() if path else file
        assert goal.exists(), f"{file.name}: {link}"
        assert not anchor or anchor in anchors(goal), f"{file.name}: {link}"
