"""Somebody else's network: a function from L to S, and what it asks of L."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.errors import UserError, require

PROBE = 32  # px; the least side of the picture that tells the scale


@dataclass(frozen=True)
class ExternalNetwork:
    """run: maps L to S. scale: how many times S is larger. channels: of its input, 3 for RGB. multiple: sides of L are padded to
    multiples of it, px, by repeating the edge. module: its weights, if torch runs it."""

    run: Callable[[Tensor], Tensor]
    scale: int
    channels: int = 3
    multiple: int = 1
    module: nn.Module | None = None

    @torch.no_grad()
    def __call__(self, low: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 h2 w2"]:
        height, width = low.shape[-2:]
        below, right = -height % self.multiple, -width % self.multiple
        if self.module is not None:
            self.module.to(low.device)
        image = self.run(functional.pad(low, (0, right, 0, below), mode="replicate") if below or right else low)
        wanted = (len(low), 3, self.scale * (height + below), self.scale * (width + right))
        require(image.shape == wanted, f"the network gives S of shape {tuple(image.shape)}, and it should be {wanted}.")
        return image[..., : self.scale * height, : self.scale * width]


def probed_scale(run: Callable[[Tensor], Tensor], multiple: int, place: str, channels: int = 3) -> int:
    """Return how many times larger a network makes a grey picture. Raises UserError if that is no whole number.

    place: what errors call the network.
    """
    side = -(-PROBE // multiple) * multiple
    try:
        with torch.no_grad():
            shape = tuple(run(torch.full((1, channels, side, side), 0.5)).shape)
    except UserError:
        raise
    except Exception as reason:
        raise UserError(f"{place} cannot restore a picture of {side}x{side} px: {type(reason).__name__}: {reason}.") from reason
    fits = len(shape) == 4 and shape[:2] == (1, 3) and shape[2] == shape[3] and shape[2] % side == 0 and shape[2] > 0
    require(fits, f"{place} makes {shape} of (1, {channels}, {side}, {side}), which is no RGB picture enlarged by a whole number.")
    return int(shape[2]) // side
