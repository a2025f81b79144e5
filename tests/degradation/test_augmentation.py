from __future__ import annotations

import pytest
import torch
from kornia.augmentation import AugmentationSequential, RandomHorizontalFlip
from torch import Tensor

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import degrade
from csrgan.errors import UserError

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}


@pytest.fixture
def sharp(chelsea: Tensor) -> Tensor:
    return torch.stack([chelsea[0, :, 40 * k : 40 * k + 64, 50 * k : 50 * k + 64] for k in range(5)])


def test_the_label_is_the_degradation_that_was_applied(sharp: Tensor) -> None:
    degradation = Degradation(**README)
    low = degradation(sharp)
    again = degrade(sharp, degradation.labels, noise=degradation._params["noise"])
    torch.testing.assert_close(low, again, atol=1e-6, rtol=0)
    assert len(torch.unique(degradation.labels.blur_std)) == len(sharp)  # each picture has its own


def test_recorded_parameters_replay_exactly(sharp: Tensor) -> None:
    degradation = Degradation(**README)
    assert torch.equal(degradation(sharp), degradation(sharp, params=degradation._params))


def test_it_composes_with_other_augmentations(sharp: Tensor) -> None:
    chain = AugmentationSequential(RandomHorizontalFlip(p=0.5), Degradation(**README), data_keys=["input"])
    low = chain(sharp)
    assert torch.equal(low, chain(sharp, params=chain._params))
    assert low.shape == sharp.shape


def test_it_stays_float32_under_autocast(sharp: Tensor) -> None:
    degradation = Degradation(**README)
    plain = degradation(sharp)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = degradation(sharp, params=degradation._params)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, atol=1e-6, rtol=0)


def test_impossible_settings_are_user_errors() -> None:
    with pytest.raises(UserError, match=r"degradation\.kernel_size=14"):
        Degradation(**README, kernel_size=14)
    with pytest.raises(UserError, match=r"Degradation\.bits=0"):
        Degradation(**README, bits=0)
