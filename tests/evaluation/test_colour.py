"""CIEDE2000 against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from csrgan.evaluation.colour import ciede2000


@pytest.mark.parametrize("kind", ["any", "near", "grey"])
def test_ciede2000_equals_scikit_image(kind: str) -> None:
    """Over colours drawn at random; over small differences; and with greys, which have no hue."""
    drawn = np.random.default_rng(0)
    one, other = drawn.random((2, 64, 64, 3))
    if kind == "near":
        other = np.clip(one + 0.02 * drawn.standard_normal(one.shape), 0, 1)
    if kind == "grey":
        other = other[..., :1].repeat(3, axis=2)
    expected = deltaE_ciede2000(rgb2lab(one), rgb2lab(other))
    found = ciede2000(*(torch.from_numpy(x).float().permute(2, 0, 1)[None] for x in (one, other)))
    np.testing.assert_allclose(found[0].double().numpy(), expected, atol=2e-3)  # float32 hardly knows the hue of a near-grey


def test_it_is_zero_at_equality_and_symmetric() -> None:
    one, other = torch.rand(2, 1, 3, 16, 16)
    assert float(ciede2000(one, one).max()) == 0
    torch.testing.assert_close(ciede2000(one, other), ciede2000(other, one), atol=1e-3, rtol=0)
