"""The statistics of JPEG's blocks are held to SciPy's DCT, and show what JPEG does."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from scipy.fft import dctn
from torch import Tensor

from csrgan.degradation.factors.jpeg import jpeg
from csrgan.networks.block_dct import LUMA, BlockDCTStatistics


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    return torch.from_numpy(skimage.data.chelsea()[100:228, 90:218].copy()).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("size", [(64, 40), (70, 45), (1100, 16)], ids=str)
def test_they_are_those_of_scipys_dct_of_the_whole_blocks(size: tuple[int, int]) -> None:
    images = torch.from_numpy(np.random.default_rng(0).random((2, 3, *size), dtype=np.float32))
    rows, columns = size[0] // 8, size[1] // 8
    luma = (images.numpy().transpose(0, 2, 3, 1) @ np.array(LUMA))[:, : 8 * rows, : 8 * columns] * 255 - 128
    blocks = luma.reshape(2, rows, 8, columns, 8).transpose(0, 1, 3, 2, 4).reshape(2, -1, 8, 8)
    coefficients = dctn(blocks, axes=(2, 3), norm="ortho")
    logs = np.stack([np.log((coefficients**2).mean(1) + 0.01), np.log(abs(coefficients).mean(1) + 0.03)], 1)
    upper = np.triu_indices(8)
    expected = ((logs + logs.swapaxes(2, 3)) / 8)[..., upper[0], upper[1]].reshape(2, -1)
    np.testing.assert_allclose(BlockDCTStatistics()(images), expected, atol=2e-5)


def test_the_finest_coefficients_vanish_where_jpeg_rounds_them_to_zero(photograph: Tensor) -> None:
    qualities = torch.tensor([30.0, 60.0, 80.0, 95.0])
    finest = BlockDCTStatistics()(jpeg(photograph.expand(4, -1, -1, -1), qualities))[:, 35]
    assert finest[:3].max() < finest[3] - 0.5


def test_a_picture_smaller_than_a_block_has_statistics_too() -> None:
    assert bool(BlockDCTStatistics()(torch.rand(1, 3, 3, 5)).isfinite().all())
