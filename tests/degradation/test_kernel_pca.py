from __future__ import annotations

import numpy as np
import pytest
import torch
from composed import composed
from torch import nn

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_pca import Code, KernelPCA, kernel_code, kernels_of, maps
from csrgan.errors import UserError


@pytest.fixture(scope="module")
def srmd() -> Degradation:
    return build(composed("degradation=srmd_x2")["degradation"])


def test_the_basis_spans_most_of_the_kernels(srmd: Degradation) -> None:
    """SRMD, section 3.2: 15 numbers keep about 99.8 % of the energy of 15x15 kernels. Witness: NumPy's singular values."""
    code = kernel_code(srmd, 15, count=2_000)
    kernels = kernels_of(srmd.prior.sample(np.random.default_rng(0), 2_000), 15, srmd.spec)
    kept = code.decode(code.encode(kernels)).square().sum() / kernels.square().sum()
    singular = np.linalg.svd(kernels.flatten(1).double().numpy(), compute_uv=False) ** 2
    assert float(kept) == pytest.approx(float(singular[:15].sum() / singular.sum()), abs=1e-6)
    assert float(kept) > 0.998
    torch.testing.assert_close(code.basis.T @ code.basis, torch.eye(15), atol=1e-5, rtol=0)


def test_the_same_protocol_gives_the_same_basis(srmd: Degradation) -> None:
    assert torch.equal(kernel_code(srmd, 5, count=300).basis, kernel_code(srmd, 5, count=300).basis)


def test_a_checkpoint_holds_the_basis(srmd: Degradation) -> None:
    network = nn.Sequential(nn.Linear(2, 2), kernel_code(srmd, 4, count=300))
    other = nn.Sequential(nn.Linear(2, 2), KernelPCA(15, 4))
    other.load_state_dict(network.state_dict())
    kernels = srmd.prior.sample(np.random.default_rng(5), 3).kernel
    assert torch.equal(network[1].encode(kernels), other[1].encode(kernels))
    assert not list(network[1].parameters())  # nothing of it is trained


def test_an_isotropic_protocol_has_a_code_too() -> None:
    gaussian8: Degradation = build(composed("degradation=gaussian8_x4")["degradation"])
    theta = gaussian8.prior.sample(np.random.default_rng(1), 50)
    kernels = kernels_of(theta, 21, gaussian8.spec)
    code = kernel_code(gaussian8, 10, count=500)
    assert float((code.decode(code.encode(kernels)) - kernels).abs().max()) < 1e-3
    first = code.encode(kernels)[theta.blur_std.argsort()][:, 0]
    assert bool((first.diff() * first.diff()[0] > 0).all())  # the first number alone tells the width


def test_a_smaller_kernel_is_centred() -> None:
    code = KernelPCA(5, 25).fit(torch.eye(25).view(25, 5, 5))
    found = code.decode(code.encode(torch.full((1, 3, 3), 1 / 9)))
    torch.testing.assert_close(found[0, 1:4, 1:4], torch.full((3, 3), 1 / 9))
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-6)


def test_maps_are_constant() -> None:
    found = maps(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 3, 5)
    assert found.shape == (2, 2, 3, 5)
    assert bool((found[1, 0] == 3).all())


def test_impossible_codes_are_user_errors(srmd: Degradation) -> None:
    with pytest.raises(UserError, match="length=30"):
        KernelPCA(5, 30)
    with pytest.raises(UserError, match="size=4"):
        KernelPCA(4, 2)
    with pytest.raises(UserError, match="fewer taps"):
        kernel_code(srmd, 4, size=401)


@pytest.mark.parametrize(
    ("name", "kind"), [("readme", "units"), ("gaussian8_x4", "kernel"), ("gaussian8_x4", "units"), ("srmd_x2", "kernel")]
)
def test_decoding_a_code_returns_what_varies(name: str, kind: str) -> None:
    degradation: Degradation = build(composed(f"degradation={name}")["degradation"])
    code = Code(degradation, kind=kind, components=15)
    true = degradation.prior.sample(np.random.default_rng(3), 50)
    found = code.decode(code.encode(true))
    assert code.encode(true).shape == (50, code.length)
    torch.testing.assert_close(found.noise_std, true.noise_std, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.scale, true.scale, atol=1e-4, rtol=0)
    wide = 0.6 if name == "srmd_x2" else 0.02  # there blur_std is of the kernel before it is cut off
    torch.testing.assert_close(found.blur_std, true.blur_std, atol=wide, rtol=0)
    assert code.taps == (21**2 if (name, kind) == ("gaussian8_x4", "kernel") else 0)
    assert code.initial(2).shape == (2, code.length)
