"""Where the yaml files and the extras of csrgan are. Nothing heavy is imported here, so that help answers at once."""

from __future__ import annotations

import shlex
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def conf() -> Path:
    """Return the folder of yaml files: inside an installed wheel, or beside src/ in a checkout."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parents[1] / "conf"


def extra(name: str) -> str:
    """Return the command that installs an extra of csrgan: from its clone if there is one, because csrgan is not on PyPI."""
    clone = PACKAGE.parents[1]
    if not (clone / "pyproject.toml").is_file():
        return f"pip install 'csrgan[{name}]'"  # the metadata of what is installed says what the extra needs
    place = "." if Path.cwd() == clone else str(clone)
    return f"pip install -e {shlex.quote(f'{place}[{name}]')}"
