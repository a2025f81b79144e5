"""Up-sampling layers of a decoder: each function makes a layer that doubles the size of its features."""

from __future__ import annotations

from torch import nn


def transposed(channels_in: int, channels_out: int) -> nn.Module:
    """Transposed convolution 2x2 of stride 2; its four phases can differ, which can show as a grid."""
    return nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2)


def bilinear(channels_in: int, channels_out: int) -> nn.Module:
    """Convolution 1x1, then bilinear interpolation (Odena et al. 2016): no grid, but no new detail either."""
    enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1), enlarge)


def shuffle(channels_in: int, channels_out: int) -> nn.Module:
    """Sub-pixel convolution (Shi et al. 2016): a convolution 3x3 to four phases, then interleaving."""
    return nn.Sequential(nn.Conv2d(channels_in, 4 * channels_out, 3, padding=1), nn.PixelShuffle(2))
