"""Statistics of a picture's 8 x 8 DCT coefficients, in which the steps of JPEG are visible."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.source import InMemory, Padded, Source

SIDE = 8  # px of a block
STRIP = 512  # px: rows of the picture that are transformed together
LUMA = (0.299, 0.587, 0.114)  # BT.601, as JFIF has it
SQUARE_FLOOR, MEAN_FLOOR = 0.01, 0.03  # added before the logarithm, in 8-bit steps: below what rounding to 8 bits leaves
SPREAD = 4.0  # of the logarithms over photographs; scales the features to order one


class BlockDCTStatistics(nn.Module):
    """Log mean square and log mean magnitude of each DCT coefficient of luma, over the blocks that JPEG codes.

    A step of the quantiser above a coefficient's magnitude leaves it zero, so the two statistics show the steps at each frequency,
    and what lies below them shows that there were none. Coefficients (u, v) and (v, u) have nearly the same step, so their mean
    is taken.
    The blocks begin at the picture's upper left corner. Blocks that are not whole are left out, unless the picture has no other.
    """

    features = SIDE * (SIDE + 1)

    def __init__(self) -> None:
        super().__init__()
        index = torch.arange(float(SIDE), dtype=torch.float64)
        cosines = torch.cos(math.pi * (2 * index + 1) * index[:, None] / (2 * SIDE)) / 2
        cosines[0] /= 2**0.5
        both = torch.kron(cosines, cosines)  # from the pixels of a block to its coefficients, both row by row
        self.register_buffer("transform", both.float().view(SIDE**2, 1, SIDE, SIDE), persistent=False)
        self.register_buffer("upper", torch.triu_indices(SIDE, SIDE), persistent=False)

    transform: Tensor
    upper: Tensor

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b features"]:
        return self.read(InMemory(image))

    def read(self, picture: Source) -> Float[Tensor, "b features"]:
        """Return the statistics of a picture that is read in strips."""
        if min(picture.height, picture.width) < SIDE:
            picture = Padded(picture, SIDE)
        height, width = (side - side % SIDE for side in (picture.height, picture.width))
        square: Tensor | float = 0.0
        magnitude: Tensor | float = 0.0
        for top in range(0, height, STRIP):
            strip = picture.part(slice(top, min(top + STRIP, height)), slice(0, width))
            with torch.autocast(strip.device.type, enabled=False):
                coefficients = self._coefficients(strip.float())
                square = square + coefficients.square().sum(dim=(2, 3))
                magnitude = magnitude + coefficients.abs().sum(dim=(2, 3))
        assert isinstance(square, Tensor) and isinstance(magnitude, Tensor)
        count = height * width // SIDE**2
        logs = torch.stack([(square / count + SQUARE_FLOOR).log(), (magnitude / count + MEAN_FLOOR).log()], dim=1)
        logs = logs.view(-1, 2, SIDE, SIDE)
        rows, columns = self.upper
        return (logs[..., rows, columns] + logs[..., columns, rows]).flatten(1) / (2 * SPREAD)

    def _coefficients(self, strip: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 64 rows columns"]:
        """Return the coefficients of all blocks of luma, in 8-bit steps."""
        luma = torch.einsum("bchw,c->bhw", strip, strip.new_tensor(LUMA)) * 255 - 128
        return nn.functional.conv2d(luma[:, None], self.transform, stride=SIDE)
