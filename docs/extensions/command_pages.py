"""The page of a command, as `csrgan COMMAND --help` prints it: the directive `command`, with the name of the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from csrgan.cli import help
from csrgan.cli.pages import PAGES
from csrgan.config.location import PACKAGE, conf

SOURCES = (Path(__file__), PACKAGE / "cli" / "help.py", PACKAGE / "cli" / "pages.py")
FILE = re.compile(r"(?<![\w/.])(\w+(?:\.(?:csv|json|npy|html|md|ckpt|yaml)|/))")  # report.html, or panels/
CODE = r"`\1`"


class Command(SphinxDirective):
    """Write the page of a command in Markdown, from the same texts."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the page."""
        command = self.arguments[0]
        for source in (*SOURCES, *conf().rglob("*.yaml")):
            self.env.note_dependency(str(source))
        return list(self.parse_text_to_nodes("\n".join(self._markdown(command))))

    def _markdown(self, command: str) -> Iterator[str]:
        about = PAGES[command]
        yield f"{about.purpose[0].upper()}{about.purpose[1:]}.\n"
        yield from ("```text", *(f"csrgan {command} {words}" for words in about.usage), "```\n")
        for key in help.keys(command):
            yield f"`{key.name}`, {key.default if key.default == 'needed' else f'default `{key.default}`'}"
            yield f": {key.meaning}. Example: `{key.example}`\n"
        yield from ("```bash", help.examples(command), "```\n")
        yield f"**Writes:** {FILE.sub(CODE, about.writes)}\n"
        if statuses := help.statuses(command):
            yield f"**Exit status:** {statuses}\n"
        if about.site:
            yield f"**Read next:** {', '.join(map(self._link, about.site))}.\n"

    def _link(self, name: str) -> str:
        """Return a link to a page of the site, named by its section and the beginning of its title."""
        section, start = name.split(", ", maxsplit=1)
        folders = (index.parent for index in Path(self.env.srcdir).glob("*/index.md") if _title(index) == section)
        found = [file for folder in folders for file in sorted(folder.glob("*.md")) if _title(file).startswith(start)]
        if len(found) != 1:
            raise self.error(f"{name} is the name of {len(found)} pages")
        return f"[{_title(found[0])}](/{found[0].relative_to(self.env.srcdir).as_posix()})"


def _title(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").split("\n")
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command", Command)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
