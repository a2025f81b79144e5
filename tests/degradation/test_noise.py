from __future__ import annotations

import torch

from csrgan.degradation.noise import standard_normal
from csrgan.degradation.parameters import Parameters


def theta(scale: list[float], noise_std: list[float]) -> Parameters:
    return Parameters(torch.zeros(len(scale)), torch.tensor(scale), torch.tensor(noise_std))


def test_the_draws_are_standard_normal_and_independent() -> None:
    found = standard_normal((1, 3, 600, 600), theta([1.0], [0.1]), seeds=[1])
    assert abs(float(found.mean())) < 0.005
    assert abs(float(found.var()) - 1) < 0.02
    red, green, blue = found[0].flatten(1)
    for one, other in ((red, green), (green, blue), (red[1:], red[:-1])):
        assert abs(float((one * other).mean())) < 0.01


def test_only_what_is_used_is_drawn() -> None:
    found = standard_normal((3, 3, 60, 40), theta([2.0, 1.0, 3.0], [0.1, 0.0, 0.1]))
    assert bool((found[0, :, :30, :20] != 0).all())
    assert int((found[0] != 0).sum()) == 3 * 30 * 20
    assert not found[1].any()
    assert int((found[2] != 0).sum()) == 3 * 20 * 13


def test_a_picture_has_the_same_noise_in_any_batch() -> None:
    both = standard_normal((2, 3, 9, 8), theta([1.0, 2.0], [0.1, 0.1]), seeds=[4, 5])
    alone = standard_normal((1, 3, 9, 8), theta([2.0], [0.1]), seeds=[5])
    assert torch.equal(both[1:], alone)
    assert not torch.equal(both[0, :, :4, :4], both[1, :, :4, :4])
