"""csrgan list: every group of choices, with what each choice is."""

from __future__ import annotations

from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from csrgan.config.folder import first_line, groups
from csrgan.console import Console
from csrgan.errors import UserError


def run(config: DictConfig) -> int:
    """Print the choices of all groups, of one, or of those below a name: `loss` is `loss/image` and its like."""
    known = dict(groups())
    asked = str(config.group or "").strip("/")
    named = [group for group in known if asked in ("", group) or group.startswith(f"{asked}/")]
    if not named:
        raise UserError.unknown("conf/", asked, known)
    table = Table(box=None, pad_edge=False)
    for heading in ("group", "choice", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for group in named:
        for index, file in enumerate(known[group]):
            table.add_row("" if index else group, file.stem, escape(first_line(file)))
    Console().print(table)
    return 0
