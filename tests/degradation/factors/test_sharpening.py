"""Unsharp masking against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import csrgan
from csrgan.degradation.factors.sharpening import Sharpening


@pytest.mark.parametrize("size", [(20, 33), (3, 2)])
@pytest.mark.parametrize("std", [0.6, 1.0, 2.3])
def test_it_is_unsharp_masking(std: float, size: tuple[int, int]) -> None:
    images, amount = torch.rand(3, 3, *size), torch.tensor([0.0, 0.5, 2.0])
    made = Sharpening(low=0, high=2, std=std).change(images, amount)
    for picture, result, number in zip(images.double().numpy(), made, amount.tolist(), strict=True):
        smooth = gaussian_filter(picture, (0, std, std), mode="mirror", radius=int(np.ceil(4 * std)))
        np.testing.assert_allclose(result.numpy(), picture + number * (picture - smooth), atol=3e-6)
    assert torch.equal(made[0], images[0])


def test_a_batch_equals_its_pictures_and_has_gradients() -> None:
    sharpening = Sharpening(low=0, high=2)
    images, amount = torch.rand(3, 1, 9, 8, dtype=torch.float64), torch.tensor([0.3, 1.0, 0.0], dtype=torch.float64)
    together = sharpening.change(images, amount)
    for k in range(3):
        assert torch.equal(together[k : k + 1], sharpening.change(images[k : k + 1], amount[k : k + 1]))
    assert torch.autograd.gradcheck(sharpening.change, (images.requires_grad_(), amount.requires_grad_()))
    assert sharpening.change(torch.empty(2, 3, 8, 8, device="meta"), torch.empty(2, device="meta")).shape == (2, 3, 8, 8)


def test_flat_areas_stay_and_edges_get_halos_that_are_clipped() -> None:
    edge = torch.tensor([0.1, 0.9]).repeat_interleave(16).expand(1, 3, 32, 32)
    protocol = csrgan.Degradation(factors={"sharpening": Sharpening(low=0, high=2)})
    theta = {"blur_std": 0.0, "scale": 1.0, "noise_std": 0.0, "sharpening": 1.0}
    made = csrgan.degrade(edge, protocol, theta).image
    torch.testing.assert_close(made[..., :8], edge[..., :8])
    assert float(made[..., 15].max()) == 0.0 and float(made[..., 16].min()) == 1.0


def test_impossible_settings_are_user_errors() -> None:
    for settings in ({"low": -1, "high": 1}, {"low": 0, "high": 1, "std": 0.0}, {"low": 0, "high": 1, "absent": 2}):
        with pytest.raises(csrgan.UserError, match="Sharpening"):
            Sharpening(**settings)
