"""Products of a degradation keep float32, whatever is set for the networks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from csrgan.degradation.precision import full_precision

PRODUCTS, CONVOLUTIONS = torch.backends.cuda.matmul, torch.backends.cudnn
NEW = hasattr(PRODUCTS, "fp32_precision")  # torch 2.9


@pytest.fixture(params=["highest", "high"])
def precision(request: pytest.FixtureRequest) -> Iterator[str]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision(before)


def exact() -> list[bool]:
    if NEW:
        return [PRODUCTS.fp32_precision == "ieee", CONVOLUTIONS.conv.fp32_precision == "ieee"]
    return [not PRODUCTS.allow_tf32, not CONVOLUTIONS.allow_tf32]


def test_tf32_is_off_inside_and_as_before_afterwards(precision: str) -> None:
    """The switches of a GPU can be turned without one."""
    with pytest.raises(ZeroDivisionError), full_precision("cuda"):
        assert exact() == [True, True]
        raise ZeroDivisionError
    assert torch.get_float32_matmul_precision() == precision
    assert CONVOLUTIONS.allow_tf32
    with full_precision("cpu"):
        assert exact()[1] is False  # not touched


def test_autocast_is_off_inside() -> None:
    one = torch.rand(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (one @ one).dtype == torch.bfloat16
        with full_precision("cpu"):
            assert (one @ one).dtype == torch.float32
