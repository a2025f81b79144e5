"""Where the yaml files of the configuration are. Nothing is imported here, so that help answers at once."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def conf() -> Path:
    """Return the folder of yaml files: inside an installed wheel, or beside src/ in a checkout."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parents[1] / "conf"
