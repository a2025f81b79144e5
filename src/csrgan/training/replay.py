"""A batch with a loss that is not finite, written with all that is needed to see why."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from csrgan.config import renamed
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, meant, require
from csrgan.files import atomic_write
from csrgan.records import Batch
from csrgan.training.system import System
from csrgan.tree import Settings


def keep(file: Path, system: System, batch: Batch) -> Path:
    """Write the batch and the weights of that step, as tensors and plain containers only."""
    reason = system.state.nonfinite
    assert reason
    content = {
        "batch": {"sharp": batch.sharp, "low": batch.low, "parameters": batch.parameters.present(), "names": list(batch.names)},
        "state_dict": system.state_dict(),
        "images_seen": system.images_seen - len(batch.names),
        "recipe": dict(system.recipe),
        "refused": {"player": reason.network, "terms": reason.terms, "samples": reason.samples},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as part:
        torch.save(content, part)
    return file


def read(file: Path) -> tuple[Batch, Settings]:
    """Return the batch and the whole content of the file. Raises UserError for a file that `keep` did not write."""
    require(file.is_file(), f"file={file} does not exist.{meant(file)}")
    try:
        content: Settings = torch.load(file, map_location="cpu", weights_only=True)
        renamed.upgrade_checkpoint(content)
        tensors = content["batch"]
        parameters = Parameters.of(tensors["parameters"])
        batch = Batch(tensors["sharp"], tensors["low"], parameters, tuple(tensors["names"]))
        assert content.keys() >= {"state_dict", "images_seen", "recipe", "refused"} and isinstance(content["recipe"], dict)
        assert content["refused"].keys() >= {"player", "terms", "samples"}
        assert all(isinstance(picture, Tensor) and picture.ndim == 4 for picture in (batch.sharp, batch.low))
        assert len(batch.sharp) == len(batch.low) == len(batch.names) == len(parameters)
        assert all(isinstance(name, str) for name in batch.names)
    except Exception as reason:
        raise UserError(f"file={file} is not a batch that csrgan wrote ({type(reason).__name__}).") from reason
    return batch, content
