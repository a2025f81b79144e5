"""A U-Net behind total variation with theta^: what S is made of, and what reaches the prediction."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from composed import composed
from torch import Tensor, nn

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import degrade
from csrgan.errors import UserError
from csrgan.evaluation import metrics
from csrgan.networks import heads, output
from csrgan.networks.generator import Generator
from csrgan.networks.spectral import Spectral
from csrgan.networks.tv_unet import TVUNet

HEAD = partial(heads.Bottleneck, hidden=8, stop_gradient=False)
ALL = ["blur_std", "scale", "noise_std"]


def degradation(name: str = "readme") -> Degradation:
    found: Degradation = build(composed(f"degradation={name}")["degradation"])
    return found


def tv_unet(name: str = "readme", **settings: Any) -> TVUNet:
    first = Spectral(spectrum_bins=8, spectrum_tile=32, gains=8, hidden=8)
    return TVUNet(degradation=degradation(name), first=first, width=8, levels=1, unshuffle=2, **settings)


def test_before_training_s_is_half_l_and_half_total_variation_with_the_true_theta(chelsea: Tensor) -> None:
    body, sharp = tv_unet(), chelsea[..., 60:156, 100:220]
    one = Generator(body, output.residual, HEAD, None, ALL, variance=False)
    theta = torch.tensor([[0.08, 0.5, 0.25]])  # 2 px, scale 2, 0.01
    low = degrade(sharp, body.prior.denormalise(theta), noise=torch.randn(1, 3, 96, 120), spec=body.spec)
    restored = body.deconvolve(low, theta)
    torch.testing.assert_close(one(low, theta).image, (low + restored) / 2, atol=1e-5, rtol=0)
    assert float(metrics.psnr(restored.clamp(0, 1), sharp) - metrics.psnr(low, sharp)) > 1
    with torch.no_grad():
        body.share.bias += 20
    torch.testing.assert_close(one(low, theta).image, restored, atol=1e-5, rtol=0)


def test_s_trains_the_share_and_the_u_net_and_not_the_prediction() -> None:
    one = Generator(tv_unet(), output.residual, HEAD, None, ALL, variance=False)
    nn.init.normal_(one.body.u.last.weight)
    one(torch.rand(2, 3, 37, 30)).image.square().sum().backward()
    reached = {name for name, weight in one.named_parameters() if weight.grad is not None and bool((weight.grad != 0).any())}
    assert {"body.share.weight", "body.share.bias", "body.u.stem.weight"} <= reached
    assert not any(name.startswith("head.") for name in reached)


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (2, 3), (37, 30)])
@pytest.mark.parametrize("name", ["readme", "gaussian8_x2", "as_coded", "jpeg", "file"])
def test_pictures_of_any_size_and_protocol(name: str, size: tuple[int, int]) -> None:
    body = tv_unet(name)
    one = Generator(body, output.residual, HEAD, None, body.prior.predicted, variance=False)
    found = one(torch.rand(2, 3, *size)).image
    assert found.shape == (2, 3, *size)
    assert bool(torch.isfinite(found).all())


def test_a_prediction_outside_the_prior_counts_as_its_end() -> None:
    body, low = tv_unet(), torch.rand(1, 3, 24, 24)
    torch.testing.assert_close(
        body.deconvolve(low, torch.tensor([[1.4, -0.3, 0.5]])), body.deconvolve(low, torch.tensor([[1.0, 0.0, 0.5]]))
    )


def test_without_an_early_prediction_or_for_another_kernel_it_is_a_user_error() -> None:
    with pytest.raises(UserError, match="generator needs a prediction before the picture is made"):
        Generator(tv_unet(), output.residual, None, None, ["scale"], variance=False)
    with pytest.raises(UserError, match="choose generator=spectral_unet"):
        tv_unet("div2krk_x2")
