"""Filters in the frequency domain: the spectrum, the gains, and the networks built on them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import skimage.data
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from csrgan.degradation.factors.motion import Motion
from csrgan.networks import heads, output, upsampling
from csrgan.networks.condition import FiLM
from csrgan.networks.generator import Generator
from csrgan.networks.spectral import HIGHEST, Spectral, SpectralUNet, apply_gains
from csrgan.networks.spectrum import CENTRE, FLOOR, SPREAD, RadialLogSpectrum

U = {"width": 8, "levels": 2, "middle_blocks": 1, "unshuffle": 4, "upsampling": upsampling.transposed}
FIRST = {"spectrum_bins": 16, "spectrum_tile": 64, "gains": 16, "hidden": 8}
HEAD = partial(heads.Bottleneck, hidden=8, stop_gradient=False)
FILM = partial(FiLM, hidden=8, detach=False)


def spectral() -> Generator:
    return Generator(Spectral(**FIRST), output.residual, HEAD, FILM, ["blur_std"], variance=False)


def spectral_unet() -> Generator:
    return Generator(SpectralUNet(first=Spectral(**FIRST), **U), output.residual, HEAD, FILM, ["blur_std"], variance=False)


def test_the_spectrum_finds_a_wave_in_its_ring_whatever_the_size() -> None:
    spectrum = RadialLogSpectrum(20, 128)
    for side in (64, 97, 256):
        wave = 0.5 + 0.2 * np.sin(2 * np.pi * 0.2125 * np.arange(side))
        image = torch.from_numpy(wave).float().expand(1, 3, side, side)
        assert int(spectrum(image).argmax()) == int(0.2125 * 2 * 20)


def test_the_spectrum_measures_the_power_of_noise() -> None:
    spectrum = RadialLogSpectrum(20, 64)
    quiet, loud = (spectrum(0.5 + std * torch.randn(4, 3, 128, 128)).mean() for std in (0.01, 0.04))
    assert float(loud - quiet) * SPREAD == pytest.approx(np.log(16), rel=0.05)


def test_the_spectrum_of_a_photograph_is_the_mean_over_its_tiles(chelsea: Tensor) -> None:
    spectrum = RadialLogSpectrum(40, 100)
    image = chelsea[..., :450]
    tiles = [image[..., top : top + 100, left : left + 100] for top in range(0, 201, 50) for left in range(0, 351, 50)]
    power = torch.stack([(spectrum(tile) * SPREAD + CENTRE).exp() - FLOOR for tile in tiles]).mean(dim=0)
    expected = ((power + FLOOR).log() - CENTRE) / SPREAD
    torch.testing.assert_close(spectrum(image), expected, atol=1e-4, rtol=0)


def test_crops_and_photographs_agree_in_the_lowest_ring_too() -> None:
    """A texture has one spectrum in crops and photographs; without tiles the lowest ring of 512 px was 4 above that of 96 px."""
    image = torch.from_numpy(skimage.data.gravel()).float()[None, None].expand(1, 3, -1, -1) / 255
    spectrum = RadialLogSpectrum(40, 96)
    crops = torch.cat([image[..., top : top + 96, left : left + 96] for top in range(0, 416, 52) for left in range(0, 416, 52)])
    away = (spectrum(image) - spectrum(crops).mean(dim=0)).abs()
    assert float(away.max()) < 0.15
    whole = RadialLogSpectrum(40, 512)
    assert float((whole(image) - spectrum(crops).mean(dim=0))[0, 0].abs()) > 0.15


@pytest.mark.parametrize("angle", [0.0, 30.0, 45.0, 90.0, 135.0])
def test_motion_takes_away_power_along_its_line(angle: float) -> None:
    spectrum = RadialLogSpectrum(40, 128, directions=True)
    still = torch.rand(1, 3, 128, 160)
    moved = Motion(low=1, high=12).change(still, torch.tensor([8.0]), torch.tensor([angle]))
    cosine, sine = (spectrum(moved) - spectrum(still))[0, 50:].view(2, 5)
    assert bool((torch.hypot(cosine, sine)[1:] > 0.3).all())
    found = torch.rad2deg(torch.atan2(-sine[1:], -cosine[1:])) / 2
    assert float(((found - angle + 90) % 180 - 90).abs().max()) < 12
    torch.testing.assert_close(spectrum(still)[:, :50], RadialLogSpectrum(40, 128)(still), atol=0, rtol=0)


def test_directions_of_a_picture_on_its_side_change_their_sign(chelsea: Tensor) -> None:
    spectrum = RadialLogSpectrum(40, 128, directions=True)
    upright, rotated = spectrum(chelsea)[0, 50:], spectrum(chelsea.rot90(1, (2, 3)))[0, 50:]
    torch.testing.assert_close(rotated, -upright, atol=0.05, rtol=0)  # half of the spectrum is read, its edge twice
    mirrored = spectrum(chelsea.flip(3))[0, 50:]
    torch.testing.assert_close(mirrored, torch.cat([upright[:5], -upright[5:]]), atol=0.05, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (37, 50), (128, 128), (300, 451)])
def test_gains_of_one_change_nothing(shape: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *shape)
    torch.testing.assert_close(apply_gains(image, torch.ones(2, 8)), image, atol=1e-5, rtol=0)
    torch.testing.assert_close(apply_gains(image, torch.full((2, 8), 0.5)), image / 2, atol=1e-5, rtol=0)


def test_the_gains_of_a_gaussian_blur_with_a_mirror_at_the_border_as_scipy_does(chelsea: Tensor) -> None:
    std = 3.0
    frequency = torch.linspace(0, HIGHEST, 400)
    found = apply_gains(chelsea, (-2 * (np.pi * std * frequency) ** 2).exp()[None])
    expected = gaussian_filter(chelsea[0].double().numpy(), std, axes=(1, 2), mode="mirror", truncate=8)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-3)


def test_each_picture_has_its_own_gains() -> None:
    image = torch.rand(2, 3, 40, 30)
    gains = torch.rand(2, 8)
    both = apply_gains(image, gains)
    torch.testing.assert_close(both[1:], apply_gains(image[1:], gains[1:]))
    assert not torch.allclose(both[1:], apply_gains(image[1:], gains[:1]), atol=1e-3)


@pytest.mark.parametrize("make", [spectral, spectral_unet])
def test_it_starts_as_the_identity_for_any_size(make: object) -> None:
    one = make()  # type: ignore[operator]
    for shape in ((1, 1), (50, 37), (64, 64)):
        low = torch.rand(2, 3, *shape)
        torch.testing.assert_close(one(low).image, low, atol=1e-5, rtol=0)


@pytest.mark.parametrize("make", [spectral, spectral_unet])
def test_the_prediction_reaches_the_gains(make: object) -> None:
    one = make()  # type: ignore[operator]
    first = one.body if make is spectral else one.body.first
    for layer in (one.condition.tune.read[-1], first.choose[-1]):
        nn.init.normal_(layer.weight)
    image = one(torch.rand(2, 3, 32, 32)).image
    assert bool(torch.autograd.grad(image.sum(), one.head.read[-1].weight)[0].any())


def test_a_filter_learns_to_undo_a_blur(chelsea: Tensor) -> None:
    torch.manual_seed(0)
    sharp = chelsea[..., :256, :256]
    low = torch.from_numpy(gaussian_filter(sharp.numpy(), 2.0, axes=(2, 3), mode="mirror"))
    one = Generator(Spectral(**FIRST | {"gains": 64}), output.residual, None, None, [], variance=False)
    optimizer = torch.optim.Adam(one.parameters(), lr=0.01)
    for _ in range(60):
        loss = (one(low).image - sharp).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss) < 0.6 * float((low - sharp).square().mean())
