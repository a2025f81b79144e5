"""The networks that come with csrgan."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from csrgan.run_folder import NETWORK

PHOTO = "photo"  # restores photographs of any origin; its model card is photo.md beside it
FOLDER = Path(__file__).parents[1] / "models"


def network(name: str) -> Path | None:
    """Return the file of the network with this name; None if there is none."""
    file = FOLDER / f"{name}{Path(NETWORK).suffix}"
    return file if name.isidentifier() and file.is_file() else None


def meant(name: str) -> str:
    """Return " Did you mean NAME?" for a misspelt name of such a network; "" for anything else."""
    near = get_close_matches(name, [file.stem for file in FOLDER.glob(f"*{Path(NETWORK).suffix}")], n=1)
    return f" Did you mean {near[0]}, which comes with csrgan?" if near else ""
