"""The networks' memory layout and compilation follow the settings of the trainer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from systems import made
from torch import nn

from csrgan.errors import UserError
from csrgan.training.execution import configure_execution

PLAIN = {"accelerator": "cpu", "devices": 1, "channels_last": False, "compile": False}


def kernels(system: Any) -> list[torch.Tensor]:
    """The weights of the convolutions whose layout can differ."""
    layers = [layer for network in system.children() for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return [layer.weight for layer in layers if layer.weight.shape[1] > 1 and layer.weight.shape[2] > 1]


def test_channels_last_changes_the_layout_of_every_network_and_no_value() -> None:
    system, _ = made("csrgan")
    before = [weight.detach().clone() for weight in kernels(system)]
    configure_execution(system, PLAIN)
    assert not any(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels(system))
    configure_execution(system, PLAIN | {"channels_last": True})
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels(system))
    assert all(torch.equal(weight, old) for weight, old in zip(kernels(system), before, strict=True))


def test_compile_compiles_every_network_and_keeps_its_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch._functorch.config, "donated_buffer", True)
    system, _ = made("csrgan")
    configure_execution(system, PLAIN)
    assert torch._functorch.config.donated_buffer
    assert all(network._compiled_call_impl is None for network in system.children())
    configure_execution(system, PLAIN | {"compile": True})
    assert all(network._compiled_call_impl is not None for network in system.children())
    assert not torch._functorch.config.donated_buffer


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_absent_is_told() -> None:
    with pytest.raises(UserError, match=r"trainer\.accelerator=gpu: torch finds no GPU here; choose trainer=cpu"):
        configure_execution(made("csrgan")[0], PLAIN | {"accelerator": "gpu"})
