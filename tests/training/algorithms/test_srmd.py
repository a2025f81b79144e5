"""The oracle modes of SRMD, and the kernel basis of systems with a kernel code."""

from __future__ import annotations

import pytest
import torch
from systems import fitted, made

from csrgan.config.build import build


def test_srmd_takes_the_truth_a_prediction_or_a_mismatch() -> None:
    system, data = made("srmd", "system.oracle=truth")
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    results = {}
    for mode in system.restorer.oracle_modes:
        system.restorer.use_oracle(mode)
        results[mode] = system.validation_step(batch, 0)
    assert torch.equal(results["prediction"].image, system.restorer.restore(batch.low).image)
    assert len({float(one.image.sum()) for one in results.values()}) == 3
    for one in results.values():  # its prediction does not depend on the mode
        assert torch.equal(one.parameters.stack(), results["prediction"].parameters.stack())


def test_srmds_restorer_and_predictor_learn_independently() -> None:
    """The restorer's weights do not depend on the predictor's loss."""
    one, other = (fitted("srmd", f"loss.parameters.weight={weight}").generator for weight in (1.0, 5.0))
    assert all(torch.equal(a, b) for a, b in zip(one.restorer.parameters(), other.restorer.parameters(), strict=True))


@pytest.mark.parametrize("name", ["srmd", "ikc", "dan"])
def test_the_basis_of_a_kernel_code_is_in_the_weights(name: str) -> None:
    """A code keeps its meaning when it is loaded, even if another basis would be computed then."""
    words = ("degradation=gaussian8_x2", "system.code.kind=kernel", "system.code.components=5")
    system, data = made(name, *words)
    for networks in (system.generator, system.ema):
        networks.code.kernels.basis.copy_(networks.code.kernels.basis.flip(1))
    again = build(system.recipe["system"])
    again.load_state_dict(system.state_dict())
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    codes = [one.ema.code.encode(batch.parameters) for one in (system, again, made(name, *words)[0])]
    assert torch.equal(codes[0], codes[1])
    assert not torch.allclose(codes[0], codes[2], atol=1e-3)
    torch.testing.assert_close(again.ema.code.decode(codes[1]).blur_std, batch.parameters.blur_std, atol=0.02, rtol=0)
