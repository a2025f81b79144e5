"""Large pictures in tiles: S and theta^ are those of the whole picture, whatever the networks."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from csrgan.degradation.augmentation import Degradation
from csrgan.networks import heads, output
from csrgan.networks.condition import FiLM
from csrgan.networks.generator import Body, Features, Generator, GeneratorOutput, Place
from csrgan.networks.source import InMemory, Padded
from csrgan.networks.spectral import STEP, WIDEST, Spectral, SpectralUNet, _mirror_indices, _wide, apply_gains, filter_border
from csrgan.networks.tiles import Tile, TiledGenerator, can_tile, spans
from csrgan.networks.tv_unet import TVUNet
from csrgan.networks.unet import UNet, UNetAsCoded
from csrgan.networks.unfolded import Unfolded
from csrgan.restorers.enlarged import Enlarged

LEVEL = 1 / 255
MLP = partial(heads.BottleneckMLP3, hidden=16, stop_gradient=False)
FILM = partial(FiLM, hidden=8, detach=False)
LATE = partial(heads.DecoderMean, stop_gradient=False)
SEPARATE = partial(heads.Separate, width=8, unshuffle=2)


def unfolded(*, downsampling: str = "bicubic", **settings: Any) -> Unfolded:
    scale = {"low": 1.0, "high": 3.0} if downsampling == "bicubic" else {"low": 2.0, "high": 2.0}
    prior = {"blur": {"low": 0.5, "high": 3.0}, "scale": scale, "noise": {"low": 0.0, "high": 0.04}}
    one = Unfolded(
        degradation=Degradation(**prior, downsampling=downsampling, predicted=["blur_std", "noise_std"]),
        first=Spectral(spectrum_bins=16),
        levels=2,
        **settings,
    )
    nn.init.normal_(one.strength.weight, std=0.05)
    return one


def tv_unet(*, width: int) -> TVUNet:
    prior = {"blur": {"low": 0.5, "high": 7.0}, "scale": {"low": 1.0, "high": 3.0}, "noise": {"low": 0.0, "high": 0.04}}
    degradation = Degradation(**prior, predicted=["blur_std", "noise_std"])
    return TVUNet(degradation=degradation, first=Spectral(spectrum_bins=16), width=width)


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    pixels = np.hstack([skimage.data.astronaut()[40:430], skimage.data.coffee()[:390, :301]])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def generator(body: Body, head: Any = MLP, condition: Any = None, function: Any = output.residual) -> Generator:
    """With weights as if trained a while, so that S differs from L; theta^ changes S where there is a condition."""
    one = Generator(body, function, head, condition, ["blur_std", "noise_std"], variance=True).eval()
    for layer in (one.condition.tune.read[-1],) if one.condition else ():
        nn.init.normal_(layer.weight, std=0.1)
    for name, layer in one.named_modules():
        if name.endswith(("u.last", "tune_last.read.2", "stages.0.last", "stages.1.last")):
            nn.init.normal_(layer.weight, std=0.05)
        if name.endswith("choose"):
            shape = torch.linspace(0, 1, layer[-1].out_features)
            with torch.no_grad():  # a filter that sharpens
                layer[-1].bias.copy_(1.5 * shape * torch.exp(-6 * shape))
            nn.init.normal_(layer[-1].weight, std=0.01)
    return one


def tiled(one: Generator, low: Tensor, tile: int = 384) -> tuple[GeneratorOutput, int]:
    result = torch.full_like(low, torch.nan)

    def put(rows: Tensor, first: int, height: int) -> None:
        assert height == low.shape[-2]
        result[..., first : first + rows.shape[-2], :] = rows

    with torch.no_grad():
        work = TiledGenerator(one, InMemory(low), tile)
        theta, log_variance = work.restore(put)
    return GeneratorOutput(result, theta, log_variance), len(work.tiles)


@pytest.mark.parametrize(
    ("body", "head", "condition", "tile"),
    [
        (SpectralUNet, MLP, None, 384),
        (partial(SpectralUNet, width=16), MLP, FILM, 384),
        (partial(SpectralUNet, width=16), LATE, None, 384),
        (partial(SpectralUNet, width=8), None, None, 384),
        (Spectral, SEPARATE, FILM, 384),
        (UNet, MLP, None, 512),
        (partial(UNet, width=8, levels=2), MLP, FILM, 384),
        (partial(UNet, spectrum_bins=0, width=8, levels=2), SEPARATE, None, 384),
        (partial(unfolded, width=8), MLP, None, 384),
        pytest.param(partial(unfolded, width=8, stages=2, downsampling="direct"), MLP, None, 384, marks=pytest.mark.long),
        (partial(tv_unet, width=8), MLP, FILM, 384),
        (partial(UNetAsCoded, width=4), LATE, None, 384),
    ],
)
def test_tiles_give_what_the_whole_picture_gives(photograph: Tensor, body: Any, head: Any, condition: Any, tile: int) -> None:
    one = generator(body(), head, condition)
    with torch.no_grad():
        whole = one(photograph)
    parts, count = tiled(one, photograph, tile)
    assert count >= 3
    assert float((whole.image - photograph).abs().max()) > 5 * LEVEL
    assert float((parts.image - whole.image).abs().max()) < LEVEL
    if head:
        torch.testing.assert_close(parts.theta, whole.theta, atol=2e-4, rtol=0)
        torch.testing.assert_close(parts.log_variance, whole.log_variance, atol=2e-4, rtol=0)


@pytest.mark.parametrize("body", [Spectral, partial(UNet, width=8, levels=2)])
def test_theta_is_that_of_the_whole_picture(photograph: Tensor, body: Any) -> None:
    one = generator(body())
    with torch.no_grad():
        torch.testing.assert_close(tiled(one, photograph)[0].theta, one(photograph).theta, atol=1e-6, rtol=1e-6)


def test_a_batch_is_tiled_as_its_pictures(photograph: Tensor) -> None:
    one = generator(SpectralUNet(width=8))
    low = torch.cat([photograph[..., :300, :300], photograph[..., 90:, 400:700]])
    for k, single in enumerate(low.split(1)):
        torch.testing.assert_close(tiled(one, low)[0].image[k], tiled(one, single)[0].image[0], atol=1e-3, rtol=0)


@pytest.mark.parametrize("side", [257, 300, 1000, 6000])
@pytest.mark.parametrize(("border", "grid"), [(64, 32), (64, 1), (96, 16), (200, 64)])
def test_tiles_cover_an_axis_once_and_see_their_border(side: int, border: int, grid: int) -> None:
    found = spans(side, 512, border, grid)
    assert found[0][0] == 0
    assert found[-1][1] == side
    for (_, stop, _), (start, _, _) in pairwise(found):
        assert stop == start
    for start, stop, seen in found:
        assert start % grid == seen.start % grid == 0
        assert seen.start == 0 or seen.start <= start - border
        assert seen.stop == side or seen.stop >= stop + border
        assert seen.stop - seen.start <= 512 or border == 200


def test_a_filter_sees_as_far_as_an_edge_changes_it() -> None:
    """Against the filter itself on a step edge; rough gains reach farther than smooth ones."""
    edge = torch.zeros(1, 1, 1, 4096)
    edge[..., 2048:] = 1
    frequency = torch.linspace(0, 1, 64)
    borders = []
    for gains in (1 + frequency, 1 + 0.3 * torch.sin(9 * frequency), 1 + 0.3 * torch.rand(64)):
        border = filter_border(gains[None])
        found = apply_gains(edge, gains[None])[0, 0, 0] - apply_gains(edge, gains[None, :1].expand(1, 64))[0, 0, 0]
        assert border == WIDEST or float(found[1000 : 2048 - border].abs().max()) < 1.5 * STEP
        borders.append(border)
    assert borders[0] < borders[2]
    assert max(borders) <= WIDEST


def test_a_tile_is_filtered_with_the_border_that_the_whole_picture_has() -> None:
    """Beyond an edge the mirrored picture is seen, and beyond that the opposite edge, as the periodic spectrum has it."""
    picture = torch.rand(1, 3, 90, 130)
    rows, columns = (_mirror_indices(side, picture.device) for side in (90, 130))
    periodic = picture[..., rows, :][..., columns].repeat(1, 1, 3, 3)
    wide = _wide(Place(slice(0, 40), slice(100, 130), InMemory(picture)), 60)
    top, left = len(rows) - 60, len(columns) + 40
    torch.testing.assert_close(wide, periodic[..., top : top + wide.shape[2], left : left + wide.shape[3]])
    assert wide.shape[2] >= 160
    assert wide.shape[3] >= 150


def test_a_padded_source_repeats_its_edges() -> None:
    source = Padded(InMemory(torch.arange(6.0).view(1, 1, 2, 3)), 4)
    assert (source.height, source.width) == (4, 4)
    assert source.part(slice(1, 4), slice(2, 4)).flatten().tolist() == [5.0] * 6


@pytest.mark.parametrize("factor", [2, 1.37, 0.6, 3.0])
def test_an_enlarged_part_is_that_of_the_whole_enlargement(photograph: Tensor, factor: float) -> None:
    low = photograph[..., :200, :150]
    expected = interpolate(low, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)
    source = Enlarged(InMemory(low), factor)
    assert (source.height, source.width) == expected.shape[-2:]
    for rows, columns in ((slice(0, 70), slice(3, 75)), (slice(50, source.height), slice(0, source.width))):
        torch.testing.assert_close(source.part(rows, columns), expected[..., rows, columns], atol=1e-4, rtol=0)


class OwnBody(Body):
    """A body as one writes it who knows nothing of tiles."""

    multiple, bottleneck_channels, decoder_channels, context_features, encoder_parts = 1, 3, 3, 0, ()

    def encode(self, low: Tensor) -> Features:
        return Features(low, (), low.new_zeros(len(low), 0))

    def decode(self, features: Features) -> Features:
        image = features.bottleneck - features.bottleneck.mean(dim=(2, 3), keepdim=True)
        return features._replace(decoder=image, image=image)


class Centred(UNet):
    """Built on a body that can be tiled; its own step needs the whole picture."""

    def decode(self, features: Features) -> Features:
        done = super().decode(features)
        return done._replace(image=done.image - done.image.mean())


class OwnHead(heads.Bottleneck):
    def forward(self, low: Tensor, features: Features) -> Tensor:
        return super().forward(low, features) + low.amax()


class OwnFiLM(FiLM):
    def forward(self, features: Tensor, theta: Tensor) -> Tensor:
        return super().forward(features, theta) / features.std()


def test_what_needs_the_whole_picture_is_not_tiled() -> None:
    small = {"width": 8, "levels": 1, "spectrum_bins": 8}
    own_head = partial(OwnHead, hidden=8, stop_gradient=False)
    assert can_tile(generator(UNet(**small)))
    assert not can_tile(generator(OwnBody()))
    assert not can_tile(generator(Centred(**small)))
    assert not can_tile(generator(UNet(**small), own_head))
    assert not can_tile(generator(UNet(**small), condition=partial(OwnFiLM, hidden=8, detach=False)))
    assert not can_tile(generator(UNet(**small), function=partial(output.minmax, epsilon=1e-6)))
    assert not can_tile(generator(UNet(**small), function=lambda raw, low: raw - raw.mean()))
    assert not can_tile(nn.Identity())


def test_the_progress_counts_every_tile(photograph: Tensor) -> None:
    seen: list[tuple[str, int]] = []

    def shown(tiles: list[Tile], doing: str) -> Any:
        yield from tiles
        seen.append((doing, len(tiles)))

    one = generator(UNet(width=8, levels=1), condition=FILM)
    with torch.no_grad():
        TiledGenerator(one, InMemory(photograph), 384, shown).restore(lambda rows, first, height: None)
    assert seen == [("reading", 28), ("restoring", 28)]
