"""How the networks of the literature, which work on small pictures, begin and end: stems and up-samplers."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.errors import require
from csrgan.networks.blocks import pad_to_multiple
from csrgan.rules import stem_side


class Stem(nn.Module):
    """Where L is as large as S (enlarge 1), turns blocks of unshuffle x unshuffle pixels into channels, so that a network that
    enlarges can be used all the same (RRDBNet, Wang et al. 2021, does so for small scales); elsewhere nothing.

    skip: S is what the network gives, and L, enlarged bicubically. None of the papers has it; a short training gains by it.
    channels: that it gives. factor: by which the network behind it must enlarge.
    """

    def __init__(self, enlarge: int, unshuffle: int, skip: bool = False) -> None:
        super().__init__()
        self.enlarge, self.block, self.skip = enlarge, unshuffle if enlarge == 1 else 1, skip
        self.channels, self.factor = 3 * self.block**2, stem_side(enlarge, unshuffle)

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h2 w2"]:
        return functional.pixel_unshuffle(pad_to_multiple(low, self.block), self.block)

    def picture(self, image: Float[Tensor, "b 3 h2 w2"], low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h3 w3"]:
        """S from what the network gives: without what was padded, and with L where there is a skip."""
        height, width = low.shape[-2:]
        image = image[..., : height * self.enlarge, : width * self.enlarge]
        if not self.skip:
            return image
        return image + functional.interpolate(low, image.shape[-2:], mode="bicubic", antialias=True)


def upsampler(channels: int, factor: int, activation: Callable[[], nn.Module] = nn.Identity) -> nn.Sequential:
    """Enlarges features by `factor`: for each 2 in it, or for 3, a convolution 3x3 to the phases, which are interleaved, and the
    activation (ESPCN, Shi et al. 2016); nothing for 1."""
    require(factor in (1, 2, 3, 4, 8), f"a network enlarges by 1, 2, 3, 4 or 8, and not by {factor}.")
    steps = [3] if factor == 3 else [2] * (factor.bit_length() - 1)
    layers: list[nn.Module] = []
    for step in steps:
        layers += [nn.Conv2d(channels, channels * step**2, 3, padding=1), nn.PixelShuffle(step), activation()]
    return nn.Sequential(*layers)
