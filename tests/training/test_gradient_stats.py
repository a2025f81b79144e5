"""Shares and cosines of terms with gradients in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from composed import SMALL, composed
from torch import nn

from csrgan.config.build import build
from csrgan.errors import UserError
from csrgan.networks.unet import UNet
from csrgan.training import gradient_stats


def test_the_shares_and_the_cosine_of_two_known_gradients() -> None:
    weight = nn.Parameter(torch.zeros(2))
    along, across = torch.tensor([3.0, 0.0]), torch.tensor([1.0, 1.0])
    parts = {"a": weight @ along + 1, "b": weight @ across - 3, "c": torch.ones((), requires_grad=True) * 4}
    stats = {name: float(value) for name, value in gradient_stats.compare(parts, [weight]).items()}
    assert [stats[f"loss_share/{name}"] for name in "abc"] == pytest.approx([1 / 8, 3 / 8, 4 / 8])
    norms = [3, math.sqrt(2), 0]
    assert [stats[f"gradient_share/{name}"] for name in "abc"] == pytest.approx([norm / sum(norms) for norm in norms])
    assert stats["cosine/a_b"] == pytest.approx(1 / math.sqrt(2))
    assert "cosine/a_c" not in stats  # c does not reach the weight
    sum(parts.values()).backward()  # the graph is still there
    assert torch.equal(weight.grad, along + across)


@pytest.mark.parametrize("generator", ["spectral", "spectral_unet", "unet", "unet_as_coded", "unfolded", "tv_unet"])
def test_encoder_weights_are_exactly_those_that_encoding_uses(generator: str) -> None:
    overrides = SMALL if generator == "spectral_unet" else ()
    system = build(composed(f"generator={generator}", *overrides)["system"])
    body = system.generator.body
    features = body.encode(torch.rand(2, 3, 32, 32))
    used = torch.autograd.grad(
        features.bottleneck.square().sum() + sum(skip.square().sum() for skip in features.skips),
        list(body.parameters()),
        allow_unused=True,
    )
    reached = {name for (name, _), gradient in zip(body.named_parameters(), used, strict=True) if gradient is not None}
    listed = {id(weight) for weight in body.encoder_weights()}
    assert reached == {name for name, weight in body.named_parameters() if id(weight) in listed}


def test_an_encoder_part_that_the_body_lacks_is_named() -> None:
    class Body(UNet):
        encoder_parts = ("u.stem", "u.encodr")

    with pytest.raises(UserError, match=r"^Body.encoder_parts names u.encodr, which is none of its modules.$"):
        Body(width=4, levels=1).encoder_weights()
    assert len(UNet(width=4, levels=1, spectrum_bins=0).encoder_weights()) > 0
