"""csrgan list: show every group of choices and what each choice is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hydra import compose
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from csrgan.config.folder import contents, first_line, groups
from csrgan.console import Console
from csrgan.errors import UserError


def run(config: DictConfig) -> int:
    """Print the choices of all groups, of one group, or of all below a name: `loss` covers `loss/image` and the rest."""
    choices = dict(groups())
    name = str(config.group or "").strip("/")
    shown = [group for group in choices if name in ("", group) or group.startswith(f"{name}/")]
    if not shown:
        keys = [key for key in _keys(contents(compose("train"), resolve=False)) if name in key.split(".")]
        if keys:
            raise UserError(
                f"{name} is no group of choices, but a key: {', '.join(keys)}. csrgan train --help=all shows every key."
            )
        raise UserError.unknown("conf/", name, choices)
    table = Table(box=None, pad_edge=False)
    for heading in ("group", "choice", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for group in shown:
        for index, file in enumerate(choices[group]):
            table.add_row("" if index else group, file.stem, escape(first_line(file)))
    Console().print(table)
    return 0


def _keys(settings: Mapping[str, object], place: str = "") -> Iterator[str]:
    """Yield every key of a configuration, in full."""
    for name, value in settings.items():
        yield f"{place}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{place}{name}.")
