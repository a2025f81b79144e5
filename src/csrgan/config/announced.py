"""What the environment names of the user's own: packages, and folders of choices. Hydra is not needed for it."""

from __future__ import annotations

import os
import shlex
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from csrgan.files import relative

ALLOW, CONF = "CSRGAN_ALLOW", "CSRGAN_CONF"  # environment: packages separated by commas, folders as in PATH
ENTRY_POINTS = "csrgan"
FLAG = "--config-dir="


@cache
def installed() -> tuple[str, ...]:
    """Return the packages that announce themselves."""
    return tuple(dict.fromkeys(point.module for point in entry_points(group=ENTRY_POINTS)))


def allowed() -> list[str]:
    """Return the packages that the environment names."""
    return [name.strip() for name in os.environ.get(ALLOW, "").split(",") if name.strip()]


def named() -> list[Path]:
    """Return the folders that the command, or the environment, names."""
    return [Path(folder) for folder in dict.fromkeys(os.environ.get(CONF, "").split(os.pathsep)) if folder]


def allowing(*names: str) -> str:
    """Return the setting in the environment that allows these packages besides those that it names already."""
    return f"{ALLOW}={','.join(dict.fromkeys([*allowed(), *names]))}"


def command(*words: str) -> str:
    """Return a command of csrgan's to print: with the packages and the folders of choices that it needs as this one did."""
    needed = [name for name in allowed() if name not in installed()]
    prefix = f"{ALLOW}={shlex.quote(','.join(needed))} " if needed else ""
    own = [f"{FLAG}{relative(folder)}" for folder in named()]
    return prefix + shlex.join(["csrgan", words[0], *own, *words[1:]])
