"""SRResNet, the generator of SRGAN (Ledig et al. 2017, fig. 4)."""

from __future__ import annotations

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.papers.stem_upsample import Stem, upsampler
from csrgan.ranges import Count


class SRResNet(nn.Module):
    """Residual blocks at the size of L, then sub-pixel convolutions; 1,549,635 parameters for width 64, 16 blocks and x4.

    enlarge: size of S over that of L. unshuffle: side of the pixel blocks that become channels if enlarge is 1. skip: see `Stem`.
    """

    norm_behind_stem = True  # batch norm fails if the stem shrinks a picture to one pixel; read without an import

    def __init__(self, *, enlarge: int, width: Count, blocks: Count, unshuffle: Count, skip: bool) -> None:
        super().__init__()
        self.stem = Stem(enlarge, unshuffle, skip)
        self.head = nn.Sequential(self.stem, nn.Conv2d(self.stem.channels, width, 9, padding=4), nn.PReLU(width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.middle = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        last = nn.Conv2d(width, 3, 9, padding=4)
        self.tail = nn.Sequential(upsampler(width, self.stem.factor, partial(nn.PReLU, width)), last)

        if skip:  # S starts as the enlarged L
            nn.init.zeros_(last.weight)
            assert last.bias is not None
            nn.init.zeros_(last.bias)

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        x = self.head(low)
        image = self.tail(x + self.middle(self.blocks(x)))
        return GeneratorOutput(self.stem.picture(image, low), None, None)


class Block(nn.Module):
    """x + norm(conv(act(norm(conv(x))))).

    The last convolution has a bias although batch norm follows: it has no effect, but gives the published parameter count.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)
