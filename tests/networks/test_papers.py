"""The networks of the papers have the published parameter counts and take pictures of any size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from csrgan.errors import UserError
from csrgan.networks.discriminators import SRGANs
from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.papers.dan import EstimatorV1, EstimatorV2, RestorerV1, RestorerV2
from csrgan.networks.papers.estimator_output import EstimatorOutput
from csrgan.networks.papers.ikc import SFTMD, Corrector, Predictor
from csrgan.networks.papers.kernelgan import DeepLinear, PatchDiscriminator
from csrgan.networks.papers.srmd import SRMDNet
from csrgan.networks.papers.srresnet import SRResNet
from csrgan.networks.papers.stem_upsample import Stem
from csrgan.networks.papers.zssr import ZSSRNet

RESNET = partial(SRResNet, width=64, blocks=16, skip=False)
SRMD = partial(SRMDNet, width=128, layers=12, skip=False)
SFT = partial(SFTMD, code=10, width=64, blocks=16, hidden=32, skip=False)
V1 = (
    partial(RestorerV1, code=10, width=64, blocks=40, skip=False),
    partial(EstimatorV1, outputs=10, width=32, blocks=5, reads="mean"),
)
V2 = (
    partial(RestorerV2, code=10, width=64, groups=5, blocks=10, skip=False),
    partial(EstimatorV2, outputs=21**2, width=32, blocks=5, reads="mean"),
)


def size(*networks: nn.Module) -> int:
    return sum(weight.numel() for network in networks for weight in network.parameters())


def at(scale: int, *makers: Callable[..., nn.Module]) -> int:
    """Parameters of the networks at a scale, as in the papers: L of H/s pixels."""
    return size(*(make(enlarge=scale, unshuffle=4) for make in makers))


def test_parameter_counts_match_the_authors_programs() -> None:
    assert at(4, RESNET) == 1_549_635
    assert size(SRGANs(width=64, hidden=1024)) == 23_563_649
    assert [at(s, partial(SRMD, code=16)) for s in (2, 3, 4)] == [1_511_692, 1_528_987, 1_553_200]
    assert [at(s, partial(SRMD, code=16)) - at(s, partial(SRMD, code=15)) for s in (2, 3, 4)] == [1_152] * 3
    assert [at(s, SFT) for s in (2, 3, 4)] == [4_086_979, 4_271_619, 4_234_691]
    assert size(Predictor(code=10, width=64, reads="mean")) == 430_730
    assert size(Corrector(code=10, width=64, reads="mean")) == 649_930
    assert size(DeepLinear(64)) == 150_656
    assert size(PatchDiscriminator(64)) == 30_977
    assert size(ZSSRNet(width=64, layers=8)) == 224_640
    assert [at(s, *V1) for s in (2, 3, 4)] == [4_181_799, 4_366_439, 4_329_511]
    assert [at(s, *V2) for s in (2, 3, 4)] == [4_540_028, 4_733_116, 4_707_708]


SMALL: dict[str, Callable[..., nn.Module]] = {
    "srresnet": partial(SRResNet, width=8, blocks=1),
    "srmd": partial(SRMDNet, code=3, width=8, layers=3),
    "sftmd": partial(SFTMD, code=3, width=8, blocks=1, hidden=4),
    "dan v1": partial(RestorerV1, code=3, width=8, blocks=1),
    "dan v2": partial(RestorerV2, code=3, width=8, groups=1, blocks=1),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("enlarge", [1, 2, 3, 4])
def test_s_is_enlarged_by_the_given_factor(name: str, enlarge: int) -> None:
    network = SMALL[name](enlarge=enlarge, unshuffle=4, skip=False).eval()
    for shape in ((12, 17), (1, 5)):
        low = torch.rand(2, 3, *shape)
        found = network(low) if name == "srresnet" else network(low, torch.rand(2, 3))
        image = found.image if isinstance(found, GeneratorOutput) else found
        assert image.shape == (2, 3, enlarge * shape[0], enlarge * shape[1])


@pytest.mark.parametrize("reads", ["mean", "statistics"])
@pytest.mark.parametrize("make", [partial(kind, outputs=3, width=8, blocks=1) for kind in (EstimatorV1, EstimatorV2)])
@pytest.mark.parametrize("enlarge", [1, 2, 3])
def test_an_estimator_uses_both_l_and_s(make: Callable[..., nn.Module], enlarge: int, reads: str) -> None:
    network = make(enlarge=enlarge, unshuffle=4, reads=reads)
    low = torch.rand(2, 3, 13, 18, requires_grad=True)
    restored = torch.rand(2, 3, enlarge * 13, enlarge * 18, requires_grad=True)
    found = network(low, restored)
    assert found.shape == (2, 3)
    assert all(bool(gradient.any()) for gradient in torch.autograd.grad(found.sum(), (low, restored)))


def test_the_code_changes_s_and_the_corrector_adds_to_the_code() -> None:
    low, one, other = torch.rand(1, 3, 16, 16), torch.zeros(1, 3), torch.ones(1, 3)
    for name in ("srmd", "sftmd", "dan v1", "dan v2"):
        network = SMALL[name](enlarge=2, unshuffle=1, skip=True).eval()
        assert not torch.equal(network(low, one), network(low, other)), name
    corrector = Corrector(code=3, width=8, reads="mean")
    nn.init.zeros_(corrector.read.last.weight)
    nn.init.zeros_(corrector.read.last.bias)
    assert torch.equal(corrector(low, other), other)


@pytest.mark.parametrize("reads", ["mean", "statistics"])
def test_a_new_predictor_has_features_that_differ_between_pictures(reads: str) -> None:
    """The initial weights neither shrink nor blow up the signal: the codes of noise and of blurred noise differ moderately."""
    torch.manual_seed(0)
    network, noise = Predictor(code=3, width=16, reads=reads), torch.rand(4, 3, 32, 32)
    codes = torch.stack([network(noise), network(nn.functional.avg_pool2d(noise, 3, 1, 1))])
    assert 0.01 < float((codes[0] - codes[1]).detach().abs().mean()) < 10
    with pytest.raises(UserError, match="reads has no median"):
        EstimatorOutput("median", nn.Identity, width=8, outputs=3)


@pytest.mark.parametrize("reads", ["mean", "statistics"])
@pytest.mark.parametrize("width, blocks", [(16, 3), (32, 5)])
@pytest.mark.parametrize("kind", [EstimatorV1, EstimatorV2])
def test_a_new_estimator_gives_codes_of_the_size_of_codes(kind: type[nn.Module], width: int, blocks: int, reads: str) -> None:
    """Codes lie in [0,1]. A restorer that is shown thousands at first learns not to look at them."""
    for seed in range(3):
        torch.manual_seed(seed)
        network, sharp = kind(enlarge=2, outputs=3, width=width, blocks=blocks, unshuffle=4, reads=reads), torch.rand(4, 3, 64, 64)
        sharp[:2] = nn.functional.avg_pool2d(sharp[:2], 9, 1, 4)
        with torch.no_grad():
            assert network(nn.functional.avg_pool2d(sharp, 2), sharp).abs().max() < 20


def test_a_skip_adds_the_enlarged_picture() -> None:
    low = torch.rand(1, 3, 10, 11)
    network = SRMDNet(enlarge=2, code=1, width=8, layers=3, unshuffle=4, skip=True)
    nn.init.zeros_(network.body[-2].weight)
    nn.init.zeros_(network.body[-2].bias)
    enlarged = nn.functional.interpolate(low, (20, 22), mode="bicubic", antialias=True)
    assert torch.equal(network(low, torch.zeros(1, 1)), enlarged)


def test_the_stem_is_invertible_and_an_unsupported_factor_is_a_user_error() -> None:
    low = torch.rand(1, 3, 10, 11)
    narrow = Stem(1, 4)(low)
    assert narrow.shape == (1, 48, 3, 3)
    assert torch.equal(Stem(1, 4).picture(nn.functional.pixel_shuffle(narrow, 4), low), low)
    assert torch.equal(Stem(3, 4)(low), low)
    with pytest.raises(UserError, match="and not by 5"):
        SRResNet(enlarge=5, width=8, blocks=1, unshuffle=1, skip=False)
