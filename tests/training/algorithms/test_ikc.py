"""Details of IKC that are easily misread in the paper."""

from __future__ import annotations

import torch
from systems import fitted, made


def test_ikcs_result_is_its_last_iteration_whatever_h_is() -> None:
    system, _ = made("ikc")
    result = system.restorer.restore(torch.rand(1, 3, 32, 32))
    assert len(result.trace) == 8
    assert torch.equal(result.image, result.trace[-1].image)
    assert torch.equal(result.parameters.stack(), result.trace[-1].parameters.stack())
    assert not torch.equal(result.trace[0].image, result.trace[-1].image)


def test_ikcs_restorer_learns_first_and_is_then_frozen() -> None:
    system = fitted("ikc", "system.first_stage=8")
    assert "corrector/parameters" not in system.state.recorded
    one, other = (fitted("ikc", f"system.first_stage={images}").generator for images in (4, 0))
    fresh = made("ikc")[0].generator
    assert all(torch.equal(a, b) for a, b in zip(other.restorer.parameters(), fresh.restorer.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.restorer.parameters(), fresh.restorer.parameters(), strict=True))
