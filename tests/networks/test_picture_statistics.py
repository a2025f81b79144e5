"""Statistics of pictures: how many, of which tiles, and that they see directions and single wrong pixels."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from csrgan.networks.picture_statistics import PictureStatistics, directions, log_kurtosis


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    return torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("size", [(512, 512), (128, 130), (90, 300), (5, 7), (1, 1)], ids=str)
def test_every_size_has_as_many_finite_numbers(photograph: Tensor, size: tuple[int, int]) -> None:
    result = PictureStatistics()(photograph[..., : size[0], : size[1]])
    assert result.shape == (1, PictureStatistics.features)
    assert bool(result.isfinite().all())


def test_those_of_a_large_picture_are_the_mean_over_its_tiles(photograph: Tensor) -> None:
    statistics = PictureStatistics()
    tiles = [statistics(photograph[..., y : y + 128, x : x + 128]) for y in range(0, 512, 128) for x in range(0, 512, 128)]
    torch.testing.assert_close(statistics(photograph), torch.cat(tiles).mean(dim=0, keepdim=True), atol=1e-4, rtol=1e-4)


def test_a_float_picture_has_those_of_its_8_bit_file(photograph: Tensor) -> None:
    disturbed = (photograph + 0.3 / 255 * (torch.rand_like(photograph) - 0.5)).clamp(0, 1)
    torch.testing.assert_close(PictureStatistics()(disturbed), PictureStatistics()(photograph))


def test_a_blur_along_one_axis_makes_directions_differ() -> None:
    noise = torch.rand(1, 128, 128)
    along = torch.nn.functional.avg_pool2d(noise, (1, 9), 1, (0, 4))
    assert (directions(along).view(5, 4)[1:, 0] > 2 * directions(noise).view(5, 4)[1:, 0]).all()


def test_single_wrong_pixels_make_the_tails_heavy(photograph: Tensor) -> None:
    luma = photograph.mean(dim=1)[:, :128, :128]
    wrong = luma.clone()
    wrong.flatten()[:: 16 * 16] = 1.0
    gaussian = torch.randn(1, 128, 128)
    assert float(log_kurtosis(gaussian)) == pytest.approx(0.5 * torch.tensor(3.0).log().item(), abs=0.03)
    assert float(log_kurtosis(wrong)) > float(log_kurtosis(luma)) + 0.2
