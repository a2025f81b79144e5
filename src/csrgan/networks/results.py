"""What a part of a network gives, checked where csrgan goes on with it: the part may be the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from csrgan.errors import UserError, found


def full_name(part: object) -> str:
    """Return the full name of a function or class, or of the class of an object."""
    part = part.func if isinstance(part, partial) else part
    named = part if hasattr(part, "__qualname__") else type(part)
    return f"{named.__module__}.{getattr(named, '__qualname__', '')}"


def require_shape(place: str, value: object, shape: Sequence[object], meaning: str) -> None:
    """Raise UserError unless a part gives a tensor of this shape.

    place: the part, which begins the sentence. meaning: of the shape; a remedy may follow.
    """
    if torch.onnx.is_in_onnx_export():  # where a size is a tensor
        return
    if not isinstance(value, Tensor) or tuple(value.shape) != tuple(shape):
        raise UserError(f"{place} gives {found(value)}, and a tensor of shape {'x'.join(map(str, shape))} is needed, {meaning}.")
