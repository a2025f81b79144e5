"""The code blocks of a page of Markdown, and what the comment before each says of it.

<!-- smoke -->, <!-- smoke: WORDS -->   trainings in it are run at smoke size, with these words added
<!-- not run: REASON -->                its commands are checked, and not run
<!-- fails -->                          its last command must end with status 2
<!-- file: PATH -->                     it is a file of the reader's, not a command
<!-- continues -->                      Python that goes on where the block before it ended
<!-- before: SHELL -->                  what the tests run first, and the reader does not see
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = ("README.md", "CONTRIBUTING.md")
RUN = ("bash", "python", "yaml", "diff")  # languages of blocks that are run, written or applied

BLOCK = re.compile(
    r"(?P<marks>(?:^[ ]*<!-- [^\n]+ -->\n+)*)"
    r"^(?P<indent>[ ]*)(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"<!-- (smoke|not run|fails|file|continues|before)(?:: (.*?))? -->")


@dataclass(frozen=True)
class Block:
    """One block of code. marks: what the comments before it say, by name."""

    language: str
    code: str
    line: int
    marks: dict[str, str]


def files() -> list[Path]:
    """Return every page that people read: README, CONTRIBUTING and the sources of the site."""
    site = (file for file in sorted((ROOT / "docs").rglob("*.md")) if "build" not in file.parts and "generated" not in file.parts)
    return [*(ROOT / name for name in READ), *site]


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    for match in BLOCK.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] if line.strip() else line for line in match["code"].splitlines(keepends=True))
        marks = dict(MARK.findall(match["marks"]))
        yield Block(match["language"], code, text.count("\n", 0, match.start("fence")) + 1, marks)
