"""Stems and up-samplers: the first and last layers of the papers' networks, which work on small pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.errors import require
from csrgan.networks import portable
from csrgan.networks.blocks import pad_to_multiple
from csrgan.rules import stem_side


class Stem(nn.Module):
    """If L is as large as S (enlarge 1), turn blocks of unshuffle x unshuffle pixels into channels, so that a network that enlarges
    still fits (as RRDBNet, Wang et al. 2021, does for small scales); otherwise a no-op.

    skip: add the bicubically enlarged L to the output of the network. None of the papers does; it helps a short training.
    channels: output channels. factor: the network after the stem must enlarge by this.
    """

    def __init__(self, enlarge: int, unshuffle: int, skip: bool = False) -> None:
        super().__init__()
        self.enlarge, self.block, self.skip = enlarge, unshuffle if enlarge == 1 else 1, skip
        self.channels, self.factor = 3 * self.block**2, stem_side(enlarge, unshuffle)

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h2 w2"]:
        return functional.pixel_unshuffle(pad_to_multiple(low, self.block), self.block)

    def picture(self, image: Float[Tensor, "b 3 h2 w2"], low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h3 w3"]:
        """Return S from the output of the network: crop the padding, and add the enlarged L if there is a skip."""
        height, width = low.shape[-2:]
        image = image[..., : height * self.enlarge, : width * self.enlarge]
        if not self.skip:
            return image
        if torch.onnx.is_in_onnx_export():
            return image + portable.enlarged(low, self.enlarge)
        return image + functional.interpolate(low, image.shape[-2:], mode="bicubic", antialias=True)


def upsampler(channels: int, factor: int, activation: Callable[[], nn.Module] = nn.Identity) -> nn.Sequential:
    """Enlarge features by `factor` with sub-pixel convolutions (ESPCN, Shi et al. 2016), one per factor of 2 or one for 3: 3x3
    convolution, pixel shuffle, activation. A no-op for 1. Raises UserError for a factor other than 1, 2, 3, 4 and 8."""
    require(factor in (1, 2, 3, 4, 8), f"a network enlarges by 1, 2, 3, 4 or 8, and not by {factor}.")
    steps = [3] if factor == 3 else [2] * (factor.bit_length() - 1)
    layers: list[nn.Module] = []
    for step in steps:
        layers += [nn.Conv2d(channels, channels * step**2, 3, padding=1), nn.PixelShuffle(step), activation()]
    return nn.Sequential(*layers)
