"""KernelGAN estimates the kernel of a picture from the picture alone, and ZSSR restores with the estimate."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from composed import composed
from measured import tell
from rich.console import Console
from skimage import data
from systems import made
from torch import Tensor, nn
from torch.nn import functional

from csrgan.config.build import build
from csrgan.degradation.kernel_priors import isotropic, rms_std, twice
from csrgan.degradation.kernels import moments
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import UserError
from csrgan.evaluation import metrics
from csrgan.networks.papers.kernelgan import DeepLinear, FreeBlur, PatchDiscriminator
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.kernelgan import cleaned
from csrgan.restorers.zssr import ZSSR

DIRECT = DegradationSpec(output="native", downsampling="direct", max_scale=2.0)
QUICK = (
    *("system.gaussian.discriminator_steps=2", "system.gaussian.refine=2", "system.gaussian.width=8"),
    *("system.gan.steps=6", "system.gan.warmup=2", "system.gan.width=8", "system.zssr.steps=2", "system.zssr.width=4"),
)


def theta(std: float, kernel: Tensor | None = None, scale: float = 2.0) -> Parameters:
    return Parameters(torch.tensor([std]), torch.tensor([scale]), torch.zeros(1), kernel)


def kernelgan(*words: str, degradation: str = "gaussian8_x2") -> Any:
    return build(composed("system=kernelgan", f"degradation={degradation}", *QUICK, *words)["system"])


def test_the_deep_linear_generator_is_its_one_kernel() -> None:
    """Witness: the picture through the six layers, the last with the stride, in float64."""
    torch.manual_seed(0)
    generator = DeepLinear(6).double()
    picture = torch.rand(2, 1, 30, 31, dtype=torch.float64)
    by_layers = generator.layers(picture)[..., ::2, ::2]
    by_kernel = functional.conv2d(picture, generator()[None, None], stride=2)
    torch.testing.assert_close(by_kernel, by_layers, atol=1e-12, rtol=0)


def test_a_free_kernel_is_that_of_the_protocol_that_takes_every_other_pixel(chelsea: Tensor) -> None:
    """The generator's output for a kernel is the protocol's L for the same kernel, without a shift."""
    kernel = isotropic(torch.tensor([1.7]), DeepLinear.TAPS, 0.5)
    low = degrade(chelsea, theta(1.7, kernel), spec=DIRECT)
    blur = FreeBlur(2, 4, 1.0)
    blur.generator = _Fixed(kernel[0])
    output, _ = blur(chelsea)
    reach = DeepLinear.TAPS // 2
    edge = reach // 2  # px of L
    torch.testing.assert_close(output, low[..., edge:, edge:][..., : output.shape[2], : output.shape[3]], atol=1e-5, rtol=0)


class _Fixed(nn.Module):
    def __init__(self, kernel: Tensor) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self) -> Tensor:
        return self.kernel


def test_a_free_kernel_begins_at_a_gaussian_and_its_penalty_is_least_for_a_kernel() -> None:
    torch.manual_seed(0)
    blur = FreeBlur(2, 16, 1.3)
    start = blur.value().detach()
    assert float(rms_std((start / start.sum())[None])) == pytest.approx(1.3, rel=0.15)
    good = isotropic(torch.tensor([1.2]), 13, 0.5)[0]
    kernels = {"none": good, "sum": 1.5 * good, "centre": good.roll(2, 0), "border": good.roll((5, 5), (0, 1))}
    values = {name: float(blur._penalty(kernel)) for name, kernel in kernels.items()}
    assert min(values, key=lambda name: values[name]) == "none"


def test_cleaning_leaves_a_kernel_that_sums_to_one() -> None:
    kernel = isotropic(torch.tensor([1.5]), 13, 0.5)[0]
    noisy = kernel + 0.001 * torch.randn(13, 13, generator=torch.Generator().manual_seed(0))
    result = cleaned(noisy)
    assert float(result.sum()) == pytest.approx(1)
    assert float(result.min()) == 0
    assert float(rms_std(result[None])) == pytest.approx(1.5, rel=0.12)


@torch.no_grad()
def test_the_discriminator_needs_both_kinds_of_pictures_in_one_batch() -> None:
    """Batch norm gives a batch of one kind the same contrast, whatever its sharpness."""
    torch.manual_seed(0)
    discriminator, sharp = PatchDiscriminator(16).train(), torch.rand(8, 3, 26, 26)
    flat = 0.5 + 0.1 * (sharp - 0.5)
    separate = (discriminator(sharp).mean() - discriminator(flat).mean()).abs()
    together = discriminator(torch.cat([sharp, flat])).unflatten(0, (2, 8)).mean(dim=(1, 2, 3, 4)).diff().abs()
    assert float(separate) < 0.2 * float(together)


@pytest.mark.parametrize(
    ("degradation", "kernel"),
    [
        *(("gaussian8_x2", "gaussian"), ("gaussian8_x4", "gaussian"), ("div2krk_x2", "gaussian"), ("div2krk_x2", "free")),
        *(pytest.param(degradation, "free", marks=pytest.mark.long) for degradation in ("gaussian8_x2", "gaussian8_x4")),
    ],
)
def test_it_restores_untrained_and_the_same_each_time(kernel: str, degradation: str, chelsea: Tensor) -> None:
    system = kernelgan(f"system.kernel={kernel}", degradation=degradation)
    low = chelsea[..., :90, :100]
    before = torch.random.get_rng_state()
    with torch.inference_mode():  # as an evaluation runs
        result, again = system.restore(low), system.restore(torch.cat([low, low]))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert result.image.shape == (1, 3, 90 * system.enlarge, 100 * system.enlarge)
    assert torch.equal(result.image, again.image[1:])
    assert 0.2 < float(result.parameters.blur_std) < 12
    assert (result.parameters.kernel is not None) == (kernel == "free" and degradation == "div2krk_x2")


def test_at_x4_the_kernel_of_x2_is_applied_twice(chelsea: Tensor) -> None:
    estimates = []
    for scale in (2, 4):
        torch.manual_seed(0)
        estimates.append(kernelgan(degradation=f"gaussian8_x{scale}").estimate(chelsea[..., :100, :120])[0])
    assert torch.equal(estimates[1].kernel, twice(estimates[0].kernel))
    torch.testing.assert_close(estimates[1].blur_std, 5**0.5 * estimates[0].blur_std)


def test_a_system_that_takes_the_degradation_can_restore_in_place_of_zssr(chelsea: Tensor) -> None:
    system, low = kernelgan("system.restorer=checkpoint"), chelsea[..., :90, :100]
    with pytest.raises(UserError, match="name its run as checkpoint=RUN"):
        system.restore(low)
    system.parameter_source = made("srmd", "degradation=gaussian8_x2")[0].restorer
    result = system.restore(low)
    assert torch.equal(result.image, system.parameter_source.restore_given(low, result.parameters).image)
    system.parameter_source = made("ikc", "degradation=gaussian8_x2")[0].restorer
    with pytest.raises(UserError, match="IKC cannot be given the degradation"):
        system.restore(low)
    system.parameter_source = made("srmd", "degradation=gaussian8_x4")[0].restorer
    with pytest.raises(UserError, match="enlarges by 4, and this degradation needs 2"):
        system.restore(low)


def test_what_it_cannot_do_is_an_error(chelsea: Tensor) -> None:
    with pytest.raises(UserError, match="KernelGAN has no model of noise"):
        kernelgan(degradation="srmd_x2")
    with pytest.raises(UserError, match="L of 60x79 px is too small for KernelGAN, which needs 80 px a side"):
        kernelgan().restore(chelsea[..., :79, :60])
    with pytest.raises(UserError, match=r"system\.kernel has no fre.*Did you mean free"):
        kernelgan("system.kernel=fre")


def test_its_progress_is_shown(chelsea: Tensor, capsys: pytest.CaptureFixture[str]) -> None:
    system = kernelgan()
    system.console = Console(force_terminal=True, width=100)
    system.restore(chelsea[..., :90, :90])
    shown = capsys.readouterr().out
    assert "finding the kernel" in shown
    assert "learning to restore" in shown


def test_zssr_beats_the_enlarged_picture_by_far_with_the_true_kernel(chelsea: Tensor) -> None:
    torch.manual_seed(0)
    kernel = isotropic(torch.tensor([1.2]), 13, 0.5)
    sharp = chelsea[..., :200, 100:300]
    low = degrade(sharp, theta(1.2, kernel), spec=DIRECT)
    zssr = ZSSR(width=16, layers=5, steps=60, crops=1, crop=48, lr=3e-3, back_projections=2)
    restored = zssr.restore(low, theta(1.2, kernel), DIRECT, 2, lambda done: None)
    assert metrics.psnr(restored, sharp) > metrics.psnr(enlarged(low, 2), sharp) + 1


def test_the_width_of_a_gaussian_is_estimated_from_a_photograph() -> None:
    """With small discriminators. The default ones, other widths, free kernels and three seeds are in the long tests."""
    words = ("system.kernel=gaussian", "system.gaussian.width=32", "system.gaussian.refine=3")
    system = build(composed("system=kernelgan", "degradation=gaussian8_x2", *words)["system"])
    low = degrade(coffee(), theta(2.0), spec=system.degradation.spec)
    torch.manual_seed(0)
    assert float(system.estimate(low)[0].blur_std) == pytest.approx(2.0, rel=0.25)


@pytest.mark.long
@pytest.mark.parametrize("std", [1.2, 2.0])
@pytest.mark.parametrize("kernel", ["gaussian", "free"])
def test_known_kernels_are_recovered_from_a_photograph(kernel: str, std: float) -> None:
    """Mean over three seeds; within 15 %, and of a free kernel of 2 px within 30 %."""
    system = build(composed("system=kernelgan", "degradation=gaussian8_x2", f"system.kernel={kernel}")["system"])
    low, stds = degrade(coffee(), theta(std), spec=system.degradation.spec), []
    for seed in range(3):
        torch.manual_seed(seed)
        estimate, _ = system.estimate(low)
        stds.append(float(estimate.blur_std))
        if estimate.kernel is not None:
            centre = moments(estimate.kernel)
            assert abs(float(centre["centre_x"]) - 0.5) < 0.25
            assert abs(float(centre["centre_y"]) - 0.5) < 0.25
    tell(f"{kernel} {std}: {stds}")
    assert sum(stds) / 3 == pytest.approx(std, rel=0.3 if (kernel, std) == ("free", 2.0) else 0.15)


def coffee() -> Tensor:
    return torch.from_numpy(data.coffee()).permute(2, 0, 1)[None] / 255
