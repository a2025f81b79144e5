from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from composed import choices, composed
from torch import Tensor, nn

from csrgan.config.build import build
from csrgan.errors import UserError
from csrgan.networks import heads, output, upsampling
from csrgan.networks.blocks import Standardised
from csrgan.networks.condition import FiLM
from csrgan.networks.discriminators import VGG, Conditional, Patch, UNetSN, VGGAsCoded
from csrgan.networks.generator import Body, Features, Generator
from csrgan.networks.unet import UNet, UNetAsCoded

SIGMOID = partial(output.logistic, epsilon=0.004)  # of conf/output/sigmoid.yaml
SMALL = {"width": 8, "levels": 2, "middle_blocks": 1, "unshuffle": 4, "spectrum_tile": 64, "upsampling": upsampling.transposed}
BOTTLENECK = partial(heads.Bottleneck, hidden=8, stop_gradient=False)
DECODER_MEAN = partial(heads.DecoderMean, stop_gradient=False)
# Makers, not modules: a test makes the module itself, so that the weights depend on its seed.
SPECTRAL, PLAIN = (partial(UNet, **SMALL, spectrum_bins=bins) for bins in (16, 0))
AS_CODED = partial(UNetAsCoded, width=4, upsampling=upsampling.transposed)
FILM = partial(FiLM, hidden=8, detach=False)


def generator(
    body: nn.Module, output: object = SIGMOID, head: object = None, predicted: Sequence[str] = (), condition: object = None
) -> Generator:
    return Generator(body, output, head, condition, predicted, variance=False)


def size(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_as_coded_networks_have_the_sizes_of_the_authors_program() -> None:
    one = generator(UNetAsCoded(width=8, upsampling=upsampling.transposed), output.clamp, DECODER_MEAN, ["blur_std"])
    assert size(one) == 487_812
    assert size(VGGAsCoded(size=512)) == 16_443_997


@pytest.mark.parametrize("body", [SPECTRAL, PLAIN, AS_CODED], ids=["spectral", "plain", "as_coded"])
@pytest.mark.parametrize(
    "head",
    [
        BOTTLENECK,
        partial(heads.BottleneckMLP3, hidden=8, stop_gradient=False),
        DECODER_MEAN,
        partial(heads.Separate, width=8, unshuffle=2),
        None,
    ],
)
@pytest.mark.parametrize("shape", [(64, 64), (50, 37), (1, 1)])
def test_any_size_goes_in_and_the_same_size_comes_out(body: Callable[[], nn.Module], head: object, shape: tuple[int, int]) -> None:
    image, theta, *_ = generator(body(), SIGMOID, head, ["blur_std", "scale"]).eval()(torch.rand(1, 3, *shape))
    assert image.shape == (1, 3, *shape)
    assert (theta is None) if head is None else (theta.shape == (1, 2))
    assert torch.isfinite(image).all()


def test_a_new_unet_is_the_identity(chelsea: Tensor) -> None:
    one = generator(UNet(**SMALL, spectrum_bins=16))
    torch.testing.assert_close(one(chelsea)[0], chelsea, atol=1e-6, rtol=0)


def test_the_padding_leaves_pictures_of_a_legal_size_alone(chelsea: Tensor) -> None:
    one = generator(UNet(**SMALL, spectrum_bins=0), output.residual)
    nn.init.normal_(one.body.u.last.weight, std=0.1)
    whole = one(chelsea[..., :64, :256])[0]
    torch.testing.assert_close(one(chelsea[..., :64, :253])[0][..., :24], whole[..., :24], atol=1e-5, rtol=0)


def test_bounded_outputs_stay_in_range_and_treat_each_picture_by_itself() -> None:
    raw, low = 3 * torch.randn(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    for bounded in (
        partial(output.sigmoid, epsilon=0.004),
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


def test_the_sigmoid_output_keeps_black_and_white_and_can_learn_them() -> None:
    """All 16-bit levels, where raw = 0; S by raw and by L has a slope at the very ends; S stays near [0,1] whatever raw is."""
    low = (torch.arange(65536) / 65535).expand(1, 3, 1, -1).clone().requires_grad_()
    raw = torch.zeros_like(low, requires_grad=True)
    restored = SIGMOID(raw, low)
    torch.testing.assert_close(restored, low, atol=1e-6, rtol=0)
    by_raw, by_low = torch.autograd.grad(restored.sum(), (raw, low))
    assert by_raw.min() > 0.003
    torch.testing.assert_close(by_low, torch.ones_like(low), atol=0.01, rtol=0)
    low = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0]).expand(2, 3, 1, -1)
    far = SIGMOID(torch.tensor([-1e4, 1e4])[:, None, None, None].expand_as(low), low)
    assert far.min() >= -0.0041
    assert far.max() <= 1.0041


def test_the_old_sigmoid_output_is_unchanged() -> None:
    """Old checkpoints name `output.sigmoid`."""
    low, raw = torch.tensor([0.0, 0.25, 1.0]).expand(1, 3, 1, 3), torch.randn(1, 3, 1, 3)
    expected = torch.sigmoid(torch.logit(low, eps=0.004) + raw)
    assert torch.equal(output.sigmoid(raw, low, epsilon=0.004), expected)


@pytest.mark.parametrize("shape", [(1, 1), (33, 70), (128, 128)])
def test_the_discriminators_take_any_size(shape: tuple[int, int]) -> None:
    image, low, theta = torch.rand(3, 3, *shape), torch.rand(3, 3, *shape), torch.rand(3, 2)
    stack = {"unshuffle": 2, "width": 4, "stages": 4, "hidden": 8}
    assert VGG(**stack)(image, low, theta).shape == (3,)
    assert Conditional(parameters=["scale", "noise_std"], **stack)(image, low, theta).shape == (3,)
    for one in (Patch(width=4, stages=3), UNetSN(width=4, levels=3, unshuffle=2)):
        logits = one(image, low, theta)
        assert logits.shape[0] == 3
        assert torch.isfinite(logits).all()


def test_the_patch_discriminator_has_a_receptive_field_of_seventy_pixels() -> None:
    image = torch.rand(1, 3, 128, 128, requires_grad=True)
    logits = Patch(width=4, stages=3)(image, image, image.new_zeros(1, 0))
    (seen,) = torch.autograd.grad(logits[0, logits.shape[1] // 2, logits.shape[2] // 2], image)
    rows = torch.nonzero(seen.abs().sum(dim=(0, 1, 3)))
    assert int(rows.max() - rows.min()) + 1 == 70


def test_the_conditional_discriminator_uses_low_and_theta() -> None:
    one = Conditional(parameters=["blur_std"], unshuffle=2, width=4, stages=3, hidden=8)
    image, low, theta = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.rand(2, 1)
    assert not torch.equal(one(image, low, theta), one(image, low, 1 - theta))
    assert not torch.equal(one(image, low, theta), one(image, 1 - low, theta))


def test_the_unet_discriminator_is_spectrally_normalised_and_constant_in_evaluation() -> None:
    one = UNetSN(width=4, levels=2, unshuffle=2)
    image = torch.rand(1, 3, 32, 32)
    for _ in range(30):
        one(image, image, image.new_zeros(1, 0))
    norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2) for layer in one.down]
    torch.testing.assert_close(torch.stack(norms), torch.ones(len(norms)), atol=0.05, rtol=0)
    before = {name: value.clone() for name, value in one.eval().state_dict().items()}
    one(image, image, image.new_zeros(1, 0))
    assert all(torch.equal(value, before[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize("make", [upsampling.transposed, upsampling.bilinear, upsampling.shuffle])
def test_every_upsampling_doubles_the_size(make: Callable[[int, int], nn.Module]) -> None:
    assert make(6, 4)(torch.rand(2, 6, 5, 7)).shape == (2, 4, 10, 14)


def test_bilinear_upsampling_cannot_draw_a_grid() -> None:
    flat = torch.rand(1, 6, 1, 1).expand(1, 6, 8, 8)
    transposed, bilinear = (
        float(make(6, 4)(flat)[..., 4:-4, 4:-4].detach().std(dim=(2, 3)).max())
        for make in (upsampling.transposed, upsampling.bilinear)
    )
    assert bilinear < 1e-6 < transposed


@pytest.mark.parametrize("body", [PLAIN, AS_CODED], ids=["plain", "as_coded"])
def test_film_starts_as_the_identity_and_passes_gradients_to_the_head(body: Callable[[], nn.Module]) -> None:
    one = generator(body().eval(), output.residual, BOTTLENECK, ["scale"], FILM)
    nn.init.normal_(getattr(one.body, "u", one.body).last.weight, std=0.1)
    low = torch.rand(1, 3, 32, 32)
    image = one(low).image
    features = one.body.decode(one.body.encode(low))
    torch.testing.assert_close(image, low + features.image)
    nn.init.normal_(one.condition.tune.read[-1].weight)
    image = one(low).image
    reached = torch.autograd.grad(image.sum(), one.head.read[-1].weight, retain_graph=True)[0]
    assert bool(reached.any())
    one.condition.detach = True
    image = one(low).image
    assert torch.autograd.grad(image.sum(), one.head.read[-1].weight, allow_unused=True)[0] is None


@pytest.mark.parametrize(("head", "predicted"), [(DECODER_MEAN, ["scale"]), (None, ["scale"]), (BOTTLENECK, [])])
def test_a_condition_without_an_early_prediction_is_a_user_error(head: object, predicted: list[str]) -> None:
    with pytest.raises(UserError, match="choose parameter_head=bottleneck"):
        generator(UNet(**SMALL, spectrum_bins=0), SIGMOID, head, predicted, FILM)


class Tiny(Body):
    """A body of one's own. lost: px that its decoder loses at each side. channels: of its bottleneck. decoded: what it gives."""

    multiple, context_features, encoder_parts, bottleneck_channels, decoder_channels = 2, 0, ("first",), 4, 4

    def __init__(self, lost: int = 0, channels: int = 4, decoded: str = "features") -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, channels, 1), nn.Conv2d(channels, 3, 3, padding=1 - lost)
        self.decoded = decoded

    def encode(self, low: Tensor) -> Features:
        return Features(bottleneck=self.first(low), skips=(), context=low.new_zeros(len(low), 0))

    def decode(self, features: Features) -> Features:
        image = self.last(features.bottleneck)
        whole = features._replace(decoder=features.bottleneck, image=image)
        return {"features": whole, "nothing": None, "picture": image, "no image": features}[self.decoded]  # type: ignore[return-value]


class NoHead(nn.Module):
    """A head that gives a column too many."""

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int) -> None:
        super().__init__()
        self.columns = outputs + 1

    def forward(self, low: Tensor, features: Features) -> Tensor:
        return low.new_zeros(len(low), self.columns)


def one_pixel_short(channels_in: int, channels_out: int) -> nn.Module:
    return nn.ConvTranspose2d(channels_in, channels_out, 1, stride=2)


def cut(raw: Tensor, low: Tensor) -> Tensor:
    return raw[..., 1:]


@pytest.mark.parametrize(
    ("body", "parts", "sentence"),
    [
        (
            Tiny(lost=1),
            {},
            "generator: decode of test_networks.Tiny, for image, gives a tensor of shape 2x3x6x6, and a tensor of shape 2x3x8x8 is"
            " needed, the size of L in multiples of 2 px: let its layers keep the size, as padding=1 does for a convolution 3x3.",
        ),
        (Tiny(decoded="no image"), {}, "generator: decode of test_networks.Tiny, for image, gives nothing (None), and a tensor"),
        (
            Tiny(decoded="nothing"),
            {},
            "generator: decode of test_networks.Tiny gives nothing (None), and csrgan.networks.generator.",
        ),
        (
            Tiny(decoded="picture"),
            {},
            "generator: decode of test_networks.Tiny gives a tensor of shape 2x3x8x8, and csrgan.networks.",
        ),
        (
            Tiny(channels=5),
            {"parameter_head": NoHead},
            "generator: encode of test_networks.Tiny gives as bottleneck a tensor of shape 2x5x8x8, and its bottleneck_channels=4"
            " promises 4 channels: let both agree.",
        ),
        (
            Tiny(),
            {"parameter_head": NoHead},
            "parameter_head: test_networks.NoHead gives a tensor of shape 2x4, and a tensor of shape 2x3 is needed, pictures x",
        ),
        (
            Tiny(),
            {"output": partial(cut)},
            "output: test_networks.cut gives a tensor of shape 2x3x7x6, and a tensor of shape 2x3x7x7 is needed, the shape of L.",
        ),
    ],
)
def test_a_part_that_gives_what_does_not_fit_is_named(body: Body, parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}"):
        Generator(body, **parts)(torch.rand(2, 3, 7, 7))
    assert Generator(Tiny())(torch.rand(2, 3, 7, 7)).image.shape == (2, 3, 7, 7)


@pytest.mark.parametrize("body", [UNet, UNetAsCoded])
def test_upsampling_that_does_not_double_the_size_is_named(body: type[Body]) -> None:
    with pytest.raises(
        UserError, match=r"^upsampling: test_networks\.one_pixel_short gives a tensor .*, twice as high and wide as"
    ):
        Generator(body(width=8, upsampling=one_pixel_short))(torch.rand(2, 3, 32, 32))


class Outside(nn.Module):
    """A head from outside csrgan: no base class, no `late`; `last` is a submodule like any other."""

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int) -> None:
        super().__init__()
        self.last = nn.Linear(3, outputs)

    def forward(self, low: Tensor, features: Features) -> Tensor:
        assert features.decoder is None
        return self.last(low.mean(dim=(2, 3)))


class OutsideLate(Outside):
    """The same, but it reads the decoder's features; `late` is an attribute of the instance."""

    def __init__(self, **channels: int) -> None:
        super().__init__(**channels)
        self.late = True
        self.last = nn.Linear(channels["decoder"], channels["outputs"])

    def forward(self, low: Tensor, features: Features) -> Tensor:
        assert features.decoder is not None
        return self.last(features.decoder.mean(dim=(2, 3)))


@pytest.mark.parametrize(("head", "late"), [(Outside, False), (OutsideLate, True), (BOTTLENECK, False), (DECODER_MEAN, True)])
def test_a_head_runs_when_it_says_and_before_decoding_otherwise(head: Callable[..., nn.Module], late: bool) -> None:
    one = generator(PLAIN().eval(), SIGMOID, head, ["scale"])
    low = torch.rand(2, 3, 32, 32)
    theta = one(low).theta
    assert one.head_is_late == late
    torch.testing.assert_close(one.predict_parameters(low)[0], theta)
    one.reexpress(torch.tensor([2.0]), torch.tensor([0.25]))
    torch.testing.assert_close(one(low).theta, 2 * theta + 0.25)


def test_a_condition_from_outside_that_cannot_adapt_to_other_units_is_refused() -> None:
    class Plain(nn.Module):
        def __init__(self, *, channels: int, parameters: int) -> None:
            super().__init__()

        def forward(self, features: Tensor, theta: Tensor) -> Tensor:
            return features + theta.mean()

    one = generator(PLAIN(), SIGMOID, BOTTLENECK, ["scale"], Plain)
    with pytest.raises(UserError, match="condition=Plain cannot adapt to other ranges of degradation"):
        one.reexpress(torch.tensor([2.0]), torch.tensor([0.25]))


@pytest.mark.parametrize("head", [heads.Bottleneck, heads.BottleneckMLP3, heads.DecoderMean])
def test_a_stopped_gradient_does_not_reach_the_body(head: type) -> None:
    settings = {} if head is heads.DecoderMean else {"hidden": 8}
    for stop in (False, True):
        one = generator(UNet(**SMALL, spectrum_bins=8), SIGMOID, partial(head, stop_gradient=stop, **settings), ["scale"])
        theta = one(torch.rand(2, 3, 32, 32)).theta
        reached = torch.autograd.grad(theta.sum(), one.body.u.stem.weight, allow_unused=True, retain_graph=True)[0]
        assert (reached is None) == stop
        assert torch.autograd.grad(theta.sum(), list(one.head.parameters()))[0] is not None


def test_the_as_coded_discriminator_names_the_sizes_that_it_accepts() -> None:
    with pytest.raises(UserError, match=r"data\.crop=100 is no multiple of 16, .* VGGAsCoded needs; 96 and 112 are"):
        VGGAsCoded(size=100)
    network = VGGAsCoded(size=32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    image = torch.rand(2, 3, 32, 32)
    network(image, image, image.new_zeros(2, 0))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_features_are_standardised_alike_in_training_and_in_evaluation() -> None:
    """For any mean and spread. Neither an evaluation nor a forward pass without gradients changes the statistics."""
    torch.manual_seed(0)
    layer = Standardised(3, memory=50)
    mean, spread = torch.tensor([100.0, 0.0, -5.0]), torch.tensor([10.0, 1.0, 0.1])
    for _ in range(400):
        trained = layer(mean + spread * torch.randn(16, 3))
    assert trained.mean(dim=0).abs().max() < 1
    statistics = {name: value.clone() for name, value in layer.named_buffers()}
    features = mean + spread * torch.randn(20_000, 3)
    with torch.no_grad():
        output = layer(features)
    torch.testing.assert_close(output.mean(dim=0), torch.zeros(3), atol=0.15, rtol=0)
    torch.testing.assert_close(output.std(dim=0), torch.ones(3), atol=0.15, rtol=0)
    assert torch.equal(layer.eval()(features), output)
    assert all(torch.equal(value, statistics[name]) for name, value in layer.named_buffers())
    layer.train()(features + 1)
    assert not torch.equal(layer.mean, statistics["mean"])


def test_a_constant_feature_is_standardised_to_zero() -> None:
    layer = Standardised(1)
    for _ in range(5):
        found = layer(torch.full((4, 1), -6.9))
    torch.testing.assert_close(found, torch.zeros(4, 1), atol=1e-3, rtol=0)


def test_bottleneck_mlp3_computes_in_float32_whatever_the_training_precision() -> None:
    torch.manual_seed(0)
    head = heads.BottleneckMLP3(bottleneck=4, decoder=8, context=3, outputs=2, hidden=8, stop_gradient=False).eval()
    assert head.standardised.mean.shape == (3,)  # of the spectrum only, which no weight changes, so an EMA of the weights fits it
    features = Features(torch.randn(2, 4, 5, 5).bfloat16().float(), (), torch.randn(2, 3))
    expected = head(torch.zeros(2, 3, 8, 8), features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(torch.zeros(2, 3, 8, 8), features._replace(bottleneck=features.bottleneck.bfloat16()))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", choices("generator"))
@pytest.mark.parametrize("condition", ["none", "film"])
def test_every_generator_trains_in_half_precision(name: str, condition: str) -> None:
    words = {"spectral": ["output=residual"], "unet_as_coded": ["parameter_head=bottleneck"]}.get(name, [])
    network = build(composed(f"generator={name}", f"condition={condition}", *words)["system"]).generator
    low = torch.rand(2, 3, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(low).image
    found.square().mean().backward()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, network(low).image, atol=0.05, rtol=0)
