"""The protocols of published numbers, beside the steps of their authors' programs in NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import witness
from composed import composed
from scipy.ndimage import correlate
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation


def protocol(name: str) -> Degradation:
    made: Degradation = build(composed(f"degradation={name}")["degradation"], "degradation")
    return made


def blurred(picture: np.ndarray, std: float) -> np.ndarray:
    """Blur by 21 x 21 taps, reflected at the borders without the edge pixel, as DAN's BatchBlur does with F.pad(mode="reflect")."""
    place = np.arange(-10, 11)
    kernel = np.exp(-(place[:, None] ** 2 + place**2) / (2 * std**2))
    return np.stack([correlate(channel, kernel / kernel.sum(), mode="mirror") for channel in picture])


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kind", ["bicubic", "gaussian8"])
def test_l_is_that_of_the_published_scripts(chelsea: Tensor, kind: str, scale: int) -> None:
    """Blur, MATLAB's bicubic, and rounding to 8 bits at the very end, for each of the tested blurs."""
    degradation = protocol(f"{kind}_x{scale}")
    sharp = chelsea[..., : 144 // scale * scale, : 180 // scale * scale]
    cells = degradation.prior.grid(blur=3, scale=2, noise=2)
    tested = {2: (0.8, 1.6), 3: (1.35, 2.4), 4: (1.8, 3.2)}[scale]  # of IKC, section 4.1
    stds = np.linspace(*tested, 8) if kind == "gaussian8" else [0.0]
    np.testing.assert_allclose(cells.blur_std.numpy(), stds, atol=1e-4)
    for cell, std in zip(range(len(cells)), stds, strict=True):
        low = degradation.degrade(sharp, cells[cell : cell + 1])[0].double().numpy() * 255
        picture = sharp[0].double().numpy()
        soft = blurred(picture, std) if std else picture
        expected = witness.imresize(soft, sharp.shape[2] // scale, sharp.shape[3] // scale).clip(0, 1) * 255
        np.testing.assert_allclose(low, low.round(), atol=1e-4)
        assert (low.round() == expected.round()).mean() > 0.999  # the others lie halfway between two levels
        assert np.abs(low - expected).max() < 0.51


def test_matlabs_l_of_8_bit_pictures_is_at_most_two_levels_away(chelsea: Tensor) -> None:
    """MATLAB rounds an 8-bit picture between its two passes too; csrgan rounds once, as DAN's scripts do."""
    sharp = (chelsea[..., :144, :180] * 255).round()
    rows = witness.imresize(sharp[0].double().numpy(), 36, 180).clip(0, 255).round()
    twice = witness.imresize(rows, 36, 45).clip(0, 255).round()
    low = protocol("bicubic_x4").degrade(sharp / 255, protocol("bicubic_x4").prior.grid(blur=1, scale=1, noise=1))[0] * 255
    off = np.abs(low.double().numpy() - twice)
    assert (off < 0.5).mean() > 0.8
    assert off.max() < 2.01
