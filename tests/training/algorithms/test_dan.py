"""Details of DAN that are easily misread in the paper."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from systems import fit, fitted, made
from torch import Tensor

from csrgan.records import Batch
from csrgan.training.network_updater import NetworkUpdater


@pytest.mark.parametrize("supervise_all", [False, True])
def test_dan_supervises_its_last_iteration_unless_set_otherwise(supervise_all: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[dict[str, Any]] = []
    monkeypatch.setattr(NetworkUpdater, "update", lambda updater, **inputs: updates.append(inputs))
    fitted("dan", f"system.supervise_all={supervise_all}", "system.first_stage=0")
    iterations = 4 if supervise_all else 1
    assert [value.shape[0] for value in updates[0].values()] == [2 * iterations] * 4


def test_no_gradient_passes_between_dans_networks() -> None:
    networks = made("dan")[0].generator
    output = networks(torch.rand(1, 3, 32, 32))
    assert all(g is None for g in torch.autograd.grad(output.theta.sum(), list(networks.restorer.parameters()), allow_unused=True))


def test_dans_second_version_estimates_a_kernel() -> None:
    words = ("degradation=gaussian8_x2", "system.code.kind=kernel", "system.estimates=kernel")
    system = fitted("dan_v2", *words)
    raw = system.generator(torch.rand(2, 3, 16, 16)).theta
    assert raw.shape == (2, 21**2)
    torch.testing.assert_close(raw.sum(dim=1), torch.ones(2))
    assert bool((system.restorer.restore(torch.rand(2, 3, 16, 16)).parameters.blur_std > 0).all())


@pytest.mark.parametrize("name", ["dan", "dan_v2"])
def test_the_restorer_is_given_the_true_code_at_first(name: str) -> None:
    system, data = made(name, "system.first_stage=4")
    given: list[Tensor] = []
    true: list[Tensor] = []
    learn, code = system.learn, system.generator.code

    def watched(batch: Batch) -> None:
        true.append(code.encode(batch.parameters))
        learn(batch)

    system.learn = watched
    system.generator.restorer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[1]))
    fit(system, data)
    assert len(true) == 4 and len(given) == 2 + 2 * system.generator.loops
    assert torch.equal(torch.stack(given[:2]), torch.stack(true[:2]))
    assert torch.equal(given[2], code.initial(2))
