"""Reading a checkpoint: tensors and plain containers only, with the configuration it was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from csrgan.fault import Fault, check


def read(path: Path | str) -> dict[str, Any]:
    """The contents of a checkpoint file, or of the last checkpoint of a run's folder.

    `["state_dict"]` holds the weights, `["csrgan"]["recipe"]` the whole configuration. Raises Fault for anything else.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "checkpoints" / "last.ckpt"
    check(file.is_file(), f"checkpoint={path} is neither a file nor the folder of a run with checkpoints/last.ckpt.")
    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as reason:
        raise Fault(f"checkpoint={path} is no checkpoint that can be read ({type(reason).__name__}).") from reason
    own = held.get("csrgan") if isinstance(held, dict) else None
    check(isinstance(own, dict) and "recipe" in own and "state_dict" in held, f"checkpoint={path} is not a checkpoint of csrgan.")
    return held  # type: ignore[no-any-return]
