"""Muon's steps against torch's own optimizers and the singular value decomposition."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import Tensor, nn

from csrgan.training.muon import Muon, orthogonal


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.1), nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Flatten(), nn.Linear(400, 2))
    return nn.Sequential(*layers)


def trained(network: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> list[Tensor]:
    for step in steps:
        optimizer.zero_grad()
        network(torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(step))).square().mean().backward()
        optimizer.step()
    return [weight.detach().clone() for weight in network.parameters()]


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (9, 9)])
def test_singular_values_become_equal_and_singular_vectors_stay(shape: tuple[int, int]) -> None:
    left, _, right = torch.linalg.svd(torch.randn(shape, generator=torch.Generator().manual_seed(1)), full_matrices=False)
    values = torch.logspace(0, -1.5, len(right))
    turned = left.mT @ orthogonal(left * values @ right) @ right.mT
    assert turned.diagonal().min() > 0.65 and turned.diagonal().max() < 1.15
    assert (turned - turned.diagonal().diag()).abs().max() < 1e-4


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_size_of_a_matrix_does_not_matter(factor: float) -> None:
    matrix = torch.randn(5, 30, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(orthogonal(matrix * factor), orthogonal(matrix), rtol=1e-4, atol=1e-5)
    assert not orthogonal(torch.zeros(3, 4)).any()


@pytest.mark.parametrize("shape", [(16, 4, 3, 3), (8, 32, 2, 2), (40, 2, 3, 3), (12, 30)])
def test_matrices_and_convolutions_take_the_steps_of_torchs_muon(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(3)
    weight = nn.Parameter(torch.randn(shape, generator=generator))
    if weight.ndim == 4:
        weight.data = weight.data.to(memory_format=torch.channels_last)
    matrix = nn.Parameter(weight.detach().reshape(len(weight), -1).clone())
    ours = Muon([weight], lr=0.1, momentum=0.9)
    theirs = torch.optim.Muon([matrix], lr=0.1, momentum=0.9, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        before, gradient = matrix.detach().clone(), torch.randn(shape, generator=generator)
        weight.grad, matrix.grad = gradient, gradient.reshape(len(gradient), -1).clone()
        ours.step()
        theirs.step()  # type: ignore[no-untyped-call]
        step = (matrix - before).detach()
        difference = weight.detach().reshape(matrix.shape) - matrix.detach()
        assert difference.norm() < 0.03 * step.norm()  # theirs is in half precision
        assert weight.grad is gradient
        with torch.no_grad():
            weight.copy_(matrix.reshape(shape))


def test_vectors_take_adams_steps() -> None:
    given = network()
    for weight in given.parameters():
        weight.requires_grad_(weight.ndim == 1)
    other = copy.deepcopy(given)
    ours, theirs = Muon(given.parameters(), lr=0.01), torch.optim.Adam(other.parameters(), lr=0.01, betas=(0.9, 0.99))
    torch.testing.assert_close(trained(given, ours, range(4)), trained(other, theirs, range(4)), rtol=0, atol=0)


def test_it_goes_on_from_its_saved_state_as_if_nothing_had_happened() -> None:
    whole = network()
    expected = trained(whole, Muon(whole.parameters(), lr=0.01), range(5))
    first = network()
    optimizer = Muon(first.parameters(), lr=0.01)
    trained(first, optimizer, range(3))
    saved = io.BytesIO()
    torch.save({"network": first.state_dict(), "optimizer": optimizer.state_dict()}, saved)
    loaded = torch.load(io.BytesIO(saved.getvalue()), weights_only=True)
    second = network()
    second.load_state_dict(loaded["network"])
    optimizer = Muon(second.parameters(), lr=0.5)
    optimizer.load_state_dict(loaded["optimizer"])
    torch.testing.assert_close(trained(second, optimizer, range(3, 5)), expected, rtol=0, atol=0)


def test_it_takes_the_same_steps_under_autocast() -> None:
    """csrgan steps inside the training step, which half precision autocasts; there the iteration would diverge."""
    weights = [nn.Parameter(torch.zeros(64, 8, 3, 3)) for _ in range(2)]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(4))
    Muon(weights[:1]).step()
    with torch.autocast("cpu", torch.bfloat16):
        Muon(weights[1:]).step()
    torch.testing.assert_close(weights[1], weights[0], rtol=0, atol=0)
