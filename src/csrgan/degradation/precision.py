"""Products in full float32 precision, whatever a training asks of its networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def full_precision(device: str) -> Iterator[None]:
    """Switch off, on this type of device, autocast and TF32, which keep 8 and 11 bits of each factor of a product: too few for the
    filters of a blur. What was set before holds again afterwards."""
    with torch.autocast(device, enabled=False):
        if device != "cuda":
            yield
            return
        switches = _switches()
        before = [getattr(switch, name) for switch, name, _ in switches]
        try:
            for switch, name, exact in switches:
                setattr(switch, name, exact)
            yield
        finally:
            for (switch, name, _), value in zip(switches, before, strict=True):
                setattr(switch, name, value)


def _switches() -> list[tuple[Any, str, Any]]:
    """Return what turns TF32 on and off for products and for convolutions, and its value for off. Torch 2.9 has a new name for it,
    and raises an error if both are used."""
    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    if hasattr(products, "fp32_precision"):
        return [(products, "fp32_precision", "ieee"), (convolutions.conv, "fp32_precision", "ieee")]
    return [(products, "allow_tf32", False), (convolutions, "allow_tf32", False)]
