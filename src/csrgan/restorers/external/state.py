"""The tensors in a file of weights. Only tensors, numbers and text are read: nothing in the file is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from csrgan.errors import UserError, require

SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
NESTED = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "generator")  # where training programs put them


def read(file: Path, place: str) -> dict[str, Tensor]:
    """Return the weights by name. Raises UserError for a file that holds none, or more than weights."""
    try:
        content: Any = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
    except pickle.UnpicklingError as reason:
        raise UserError(
            f"{place} holds more than tensors, numbers and text, or is no file of weights: save the state dict alone,"
            " as in torch.save(network.state_dict(), FILE)."
        ) from reason
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as reason:
        raise UserError(f"{place} cannot be read as weights: {str(reason).splitlines()[0]}.") from reason
    for key in NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    items = content.items() if isinstance(content, dict) else ()
    weights = {str(name): value for name, value in items if isinstance(value, Tensor)}
    require(bool(weights), f"{place} holds no weights by name.")
    while all(name.startswith("module.") for name in weights):  # of DataParallel
        weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return weights


def load_into(network: nn.Module, weights: dict[str, Tensor], place: str) -> None:
    """Load weights into a network. Raises UserError with the first names that do not fit."""
    own = network.state_dict()
    wrong = [f"{name} is missing" for name in own if name not in weights]
    wrong += [f"{name} is in no layer" for name in weights if name not in own]
    wrong += [
        f"{name} is {tuple(weights[name].shape)} and should be {tuple(own[name].shape)}"
        for name in own
        if name in weights and own[name].shape != weights[name].shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise UserError(f"{place} does not fit {type(network).__name__}: {', '.join(wrong[:3])}{more}.")
    network.load_state_dict(weights)
