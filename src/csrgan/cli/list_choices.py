"""csrgan list: show the groups of choices on one screen, or what each choice of a group is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from csrgan.config.folder import contents, first_line, groups
from csrgan.console import Console
from csrgan.errors import UserError

ALL = "all"
WIDTH = 80  # columns of the overview, one line a group
# Choices that are used most, before the others of their groups.
FIRST = {
    "data": ("sample", "folder", "div2k"),
    "degradation": ("readme", "photo", "file", "gaussian8_x2"),
    "evaluation": ("default", "whole"),
    "experiment": ("csrgan", "study", "compare", "csrgan_hour", "csrgan_gpu"),
    "factor": ("jpeg_quality", "motion", "sharpening"),
    "logger": ("wandb", "csv", "tensorboard"),
    "loss": ("image", "parameters", "adversarial", "perceptual"),
    "sweep": ("lambda_sigma", "mse_or_gan", "stability"),
    "system": ("csrgan", "srgan", "bicubic", "wiener"),
    "trainer": ("smoke", "cpu", "gpu"),
}


def run(config: DictConfig) -> int:
    """Print an overview, the choices of one group, those of all below a name (`loss` covers `loss/image` and the rest), or all."""
    choices = dict(groups())
    name = str(config.group or "").strip("/")
    if not name:
        print("\n".join(_overview(choices)))
        return 0
    name = "" if name == ALL and not any(group.split("/")[0] == ALL for group in choices) else name
    shown = [group for group in choices if name in ("", group) or group.startswith(f"{name}/")]
    if not shown:
        keys = [key for key in _keys(contents(compose("train"), resolve=False)) if name in key.split(".")]
        if keys:
            raise UserError(
                f"{name} is no group of choices, but a key: {', '.join(keys)}. csrgan train --help=all shows every key."
            )
        raise UserError.unknown("conf/", name, choices)
    taken = compose("train", return_hydra_config=True).hydra.runtime.choices
    table = Table(box=None, pad_edge=False)
    for heading in ("group", "choice", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for group in shown:
        for index, file in enumerate(choices[group]):
            choice = f"{file.stem} (default)" if taken.get(group) == file.stem else file.stem
            table.add_row("" if index else group, choice, escape(first_line(file) or "(no comment)"))
    Console().print(table)
    return 0


def _overview(choices: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    """Yield a line for each group: how many choices it has, and some of them; of groups below a name, these groups."""
    members: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for group, files in choices.items():
        top, _, below = group.partition("/")
        members.setdefault(top, []).extend([below] if below else [file.stem for file in files])
        counts[top] = counts.get(top, 0) + len(files)
    width = max(map(len, members))
    yield f"{'group':<{width}}  choices"
    for top, names in members.items():
        ordered = list(dict.fromkeys([*(name for name in FIRST.get(top, ()) if name in names), *names]))
        yield _line(f"{top:<{width}}  {counts[top]:>7}  ", ordered)
    yield f"csrgan list GROUP tells what each choice is, csrgan list {ALL} does so for all."


def _line(start: str, names: Sequence[str]) -> str:
    """Return a line with as many of the names as it has room for."""
    for count in range(len(names), 0, -1):
        line = start + ", ".join(names[:count]) + (", ..." if count < len(names) else "")
        if len(line) <= WIDTH:
            return line
    return f"{start}{names[0]}, ..."


def _keys(settings: Mapping[str, object], place: str = "") -> Iterator[str]:
    """Yield every key of a configuration, in full."""
    for name, value in settings.items():
        yield f"{place}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{place}{name}.")
