"""A batch from which nothing could be learned, kept with all that is needed to see why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from csrgan.config import renamed
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, require
from csrgan.files import atomic_write
from csrgan.records import Batch
from csrgan.training.system import System


def keep(file: Path, system: System, batch: Batch) -> Path:
    """Write the batch and the weights that met it; tensors and plain containers only."""
    assert system.state.nonfinite
    reason = system.state.nonfinite
    held = {
        "batch": {"sharp": batch.sharp, "low": batch.low, "parameters": batch.parameters.present(), "names": list(batch.names)},
        "state_dict": system.state_dict(),
        "images_seen": system.images_seen - len(batch.names),
        "recipe": dict(system.recipe),
        "refused": {"player": reason.player, "terms": reason.terms, "samples": reason.samples},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as part:
        torch.save(held, part)
    return file


def read(file: Path) -> tuple[Batch, dict[str, Any]]:
    """The batch, and all that the file holds. Raises UserError for another file."""
    require(file.is_file(), f"file={file} is not there.")
    try:
        content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        renamed.upgrade_checkpoint(content)
        kept = content["batch"]
        parameters = Parameters.of(kept["parameters"])
        batch = Batch(kept["sharp"], kept["low"], parameters, tuple(kept["names"]))
        assert content.keys() >= {"state_dict", "images_seen", "recipe", "refused"} and isinstance(content["recipe"], dict)
        assert content["refused"].keys() >= {"player", "terms", "samples"}
        assert all(isinstance(picture, Tensor) and picture.ndim == 4 for picture in (batch.sharp, batch.low))
        assert len(batch.sharp) == len(batch.low) == len(batch.names) == len(parameters)
        assert all(isinstance(name, str) for name in batch.names)
    except Exception as reason:
        raise UserError(f"file={file} is no batch that csrgan has kept ({type(reason).__name__}).") from reason
    return batch, content
