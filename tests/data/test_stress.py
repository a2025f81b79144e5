"""Stress tests change the evaluated pictures as described, and nothing else."""

from __future__ import annotations

import pytest
import torch

from csrgan.data.stress import Stress
from csrgan.errors import UserError


def test_contrast_is_about_mid_grey() -> None:
    image = torch.rand(2, 3, 9, 7)
    found = Stress(0.3, 0).on_sharp(image)
    torch.testing.assert_close(found - 0.5, 0.3 * (image - 0.5))
    assert Stress(1.0, 0).on_sharp(image) is image


def test_hot_pixels_are_white_and_leave_the_others_alone() -> None:
    image = 0.5 * torch.rand(2, 3, 9, 7)
    before = image.clone()
    found = Stress(1.0, 2).on_low(image)
    assert torch.equal(image, before)
    changed = (found != image).any(dim=1)
    assert changed[0].nonzero().tolist() == [[3, 2], [6, 4]]
    assert bool((found[:, :, 3, 2] == 1).all())
    assert Stress(1.0, 0).on_low(image) is image


@pytest.mark.parametrize("contrast", [0.0, 1.5, -1.0])
def test_an_invalid_contrast_is_an_error(contrast: float) -> None:
    with pytest.raises(UserError, match=f"evaluation.contrast={contrast:g} is not in"):
        Stress(contrast, 0)
