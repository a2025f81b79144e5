from __future__ import annotations

import pytest

from csrgan.systems.schedule import constant, cosine


def test_cosine_rises_falls_and_ends_at_zero() -> None:
    assert cosine(0, total=1000, warmup=100) < 0.02
    assert cosine(100, total=1000, warmup=100) == pytest.approx(0.9755, abs=1e-3)
    assert cosine(500, total=1000, warmup=0) == pytest.approx(0.5)
    assert cosine(1000, total=1000, warmup=100) == 0
    assert cosine(5000, total=1000, warmup=100) == 0
    assert constant(5000, total=1000, warmup=100) == 1
