from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from csrgan.fault import Fault
from csrgan.networks import heads, output
from csrgan.networks.discriminators import VGG, VGGAsCoded
from csrgan.networks.generator import Generator
from csrgan.networks.spectrum import RadialLogSpectrum
from csrgan.networks.unet import UNet, UNetAsCoded

SIGMOID = partial(output.sigmoid, epsilon=0.004)
SMALL = {"width": 8, "levels": 2, "middle_blocks": 1, "unshuffle": 4}


def size(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_as_coded_networks_have_the_sizes_of_the_authors_program() -> None:
    one = Generator(UNetAsCoded(width=8), output.clamp, heads.DecoderMean, ["blur_std"])
    assert size(one) == 487_812
    assert size(VGGAsCoded(size=512)) == 16_443_997


@pytest.mark.parametrize("body", [UNet(**SMALL, spectrum_bins=16), UNet(**SMALL, spectrum_bins=0), UNetAsCoded(width=4)])
@pytest.mark.parametrize(
    "head",
    [partial(heads.Bottleneck, hidden=8), heads.DecoderMean, partial(heads.Separate, width=8, unshuffle=2), None],
)
@pytest.mark.parametrize("shape", [(64, 64), (50, 37), (1, 1)])
def test_any_size_goes_in_and_the_same_size_comes_out(body: nn.Module, head: object, shape: tuple[int, int]) -> None:
    image, theta = Generator(body, SIGMOID, head, ["blur_std", "scale"]).eval()(torch.rand(1, 3, *shape))
    assert image.shape == (1, 3, *shape)
    assert (theta is None) if head is None else (theta.shape == (1, 2))
    assert torch.isfinite(image).all()


def test_a_new_unet_is_the_identity(chelsea: Tensor) -> None:
    generator = Generator(UNet(**SMALL, spectrum_bins=16), SIGMOID, None, [])
    torch.testing.assert_close(generator(chelsea)[0], chelsea.clamp(0.004, 0.996), atol=1e-5, rtol=0)


def test_the_padding_leaves_pictures_of_a_legal_size_alone(chelsea: Tensor) -> None:
    generator = Generator(UNet(**SMALL, spectrum_bins=0), partial(output.residual), None, [])
    nn.init.normal_(generator.body.last.weight, std=0.1)
    whole = generator(chelsea[..., :64, :256])[0]
    torch.testing.assert_close(generator(chelsea[..., :64, :253])[0][..., :24], whole[..., :24], atol=1e-5, rtol=0)


def test_outputs_keep_their_promises() -> None:
    raw, low = 3 * torch.randn(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    for bounded in (
        SIGMOID,
        output.clamp,
        output.tanh,
        partial(output.minmax, epsilon=1e-6),
        partial(output.minmax_batch, epsilon=1e-6),
    ):
        assert bounded(raw, low).min() >= 0
        assert bounded(raw, low).max() <= 1
    alone = output.minmax(raw[:1], low[:1], epsilon=1e-6)
    assert torch.equal(output.minmax(raw, low, epsilon=1e-6)[:1], alone)
    raw[1] *= 2  # the batch couples its pictures as coded, and no other output does
    assert not torch.allclose(output.minmax_batch(raw, low, epsilon=1e-6)[:1], output.minmax_batch(raw[:1], low[:1], epsilon=1e-6))
    torch.testing.assert_close(output.residual(torch.zeros_like(low), low), low)
    flat = torch.full((1, 3, 4, 4), 0.7)
    assert torch.isfinite(output.minmax(flat, flat, epsilon=1e-6)).all()


@pytest.mark.parametrize("shape", [(1, 1), (33, 70), (128, 128)])
def test_the_vgg_discriminator_takes_any_size(shape: tuple[int, int]) -> None:
    assert VGG(unshuffle=2, width=4, stages=4, hidden=8)(torch.rand(3, 3, *shape)).shape == (3,)


def test_the_as_coded_discriminator_says_what_sizes_it_takes() -> None:
    with pytest.raises(Fault, match="nearest: 96"):
        VGGAsCoded(size=100)
    network = VGGAsCoded(size=32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(torch.rand(2, 3, 32, 32))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_spectrum_finds_a_wave_in_its_ring_whatever_the_size() -> None:
    spectrum = RadialLogSpectrum(20)
    for side in (64, 97, 256):
        wave = 0.5 + 0.2 * np.sin(2 * np.pi * 0.2125 * np.arange(side))
        image = torch.from_numpy(wave).float().expand(1, 3, side, side)
        assert int(spectrum(image).argmax()) == int(0.2125 * 2 * 20)


def test_the_spectrum_measures_the_power_of_noise() -> None:
    spectrum = RadialLogSpectrum(20)
    quiet, loud = (spectrum(0.5 + std * torch.randn(4, 3, 128, 128)).mean() for std in (0.01, 0.04))
    assert float(loud - quiet) * 4 == pytest.approx(np.log(16), rel=0.05)
