"""The networks that come with csrgan."""

from __future__ import annotations

from pathlib import Path

from csrgan.run_folder import NETWORK

PHOTO = "photo"  # restores photographs of any origin; its model card is photo.md beside it
FOLDER = Path(__file__).parents[1] / "models"


def network(name: str) -> Path | None:
    """Return the file of the network with this name; None if there is none."""
    file = FOLDER / f"{name}{Path(NETWORK).suffix}"
    return file if name.isidentifier() and file.is_file() else None
