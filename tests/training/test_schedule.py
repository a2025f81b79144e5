from __future__ import annotations

import pytest

from csrgan.training.schedule import constant, cooldown, cosine


def test_cosine_rises_falls_and_ends_at_zero() -> None:
    assert cosine(0, total=1000, warmup=100) < 0.02
    assert cosine(100, total=1000, warmup=100) == pytest.approx(0.9755, abs=1e-3)
    assert cosine(500, total=1000, warmup=0) == pytest.approx(0.5)
    assert cosine(1000, total=1000, warmup=100) == 0
    assert cosine(5000, total=1000, warmup=100) == 0
    assert constant(5000, total=1000, warmup=100) == 1


def test_the_cooldown_is_constant_and_then_falls_as_the_cosine_does() -> None:
    factors = [cooldown(images, total=1000, warmup=50, last=0.2) for images in range(1101)]
    assert factors[:801] == [constant(images, total=1000, warmup=50) for images in range(801)]
    assert factors[800:1000] == pytest.approx([cosine(images, total=200, warmup=0) for images in range(200)])
    assert factors[1000:] == [0] * 101
    assert [cooldown(images, total=4, warmup=0, last=0.01) for images in range(5)] == [1, 1, 1, 1, 0]
