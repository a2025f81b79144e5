"""csrgan list: every group of choices, with what each choice is."""

from __future__ import annotations

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from csrgan.config.folder import first_line, groups
from csrgan.fault import Fault


def run(config: DictConfig) -> int:
    """Print the choices of all groups, or of one."""
    known = dict(groups())
    if config.group is not None and config.group not in known:
        raise Fault.unknown("group", str(config.group), known)
    table = Table(box=None, pad_edge=False)
    for heading in ("group", "choice", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for group, files in known.items():
        if config.group in (None, group):
            for place, file in enumerate(files):
                table.add_row("" if place else group, file.stem, first_line(file))
    Console().print(table)
    return 0
