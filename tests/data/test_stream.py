"""Sample i is a pure function of (seed, i)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from csrgan.data.crops import Undegraded
from csrgan.data.module import Photographs
from csrgan.degradation.augmentation import Degradation
from csrgan.fault import Fault

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}


def photographs(**change: object) -> Photographs:
    settings = {
        "train": ["astronaut", "camera", "brick"],
        "valid": ["chelsea"],
        "crop": 32,
        "batch_size": 4,
        "workers": 0,
        "keep_mb": 100,
        "degradation": Degradation(**README),
        "images": 24,
        "grid": {"blur": 2, "scale": 1, "noise": 1},
        "repeats": 2,
        "evaluation_crop": 64,
        "seed": 5,
    }
    return Photographs(**(settings | change))


def stream(data: Photographs) -> list[tuple[torch.Tensor, torch.Tensor]]:
    batches: list[Undegraded] = list(data.train_dataloader())
    return [(sharp, theta) for batch in batches for sharp, theta in zip(batch.sharp, batch.parameters.stack(), strict=True)]


def same(a: list, b: list) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x, y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True)
    )


def test_worker_count_and_batch_size_do_not_change_the_samples() -> None:
    plain = stream(photographs())
    assert len(plain) == 24
    assert same(plain, stream(photographs(workers=2)))
    assert same(plain, stream(photographs(batch_size=6)))
    assert not same(plain, stream(photographs(seed=6)))


def test_no_crop_and_no_theta_comes_twice() -> None:
    plain = stream(photographs())
    assert len({sharp.numpy().tobytes() for sharp, _ in plain}) == 24
    assert len({theta.numpy().tobytes() for _, theta in plain}) == 24


def test_each_photograph_comes_once_a_round() -> None:
    crops = photographs().train_dataloader().dataset
    for round_ in range(3):
        assert sorted(crops._picture(3 * round_ + place) for place in range(3)) == [0, 1, 2]


def test_a_loader_that_is_restarted_goes_on_where_it_stopped() -> None:
    loader = photographs().train_dataloader()
    batches = iter(loader)
    for _ in range(2):
        next(batches)
    state = loader.state_dict()
    rest = list(batches)
    again = photographs().train_dataloader()
    again.load_state_dict(state)
    assert len(rest) == 4
    for one, other in zip(rest, list(again), strict=True):
        assert torch.equal(one.sharp, other.sharp)
        assert one.noise == other.noise


def test_the_label_in_the_batch_is_what_was_applied() -> None:
    data = photographs()
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert torch.equal(batch.parameters.stack(), data.degradation.labels.stack())
    again = data.degradation(batch.sharp, params=data.degradation._params)
    assert torch.equal(again, batch.low)


def test_the_grid_is_frozen() -> None:
    one, other = (list(photographs(seed=seed, batch_size=size).val_dataloader()) for seed, size in ((1, 4), (2, 8)))
    assert len(one) == 4
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.noise, b.noise)
        assert torch.equal(a.parameters.stack(), b.parameters.stack())
    assert one[0].sharp.shape == (1, 3, 64, 64)
    assert not torch.equal(one[0].noise, one[1].noise)


def test_a_small_memory_gives_the_same_samples() -> None:
    assert same(stream(photographs()), stream(photographs(keep_mb=0)))


def test_faults_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((20, 50, 3), np.uint8)).save(tmp_path / "tiny.png")
    with pytest.raises(Fault, match=r"data\.crop=32 is larger than .*tiny\.png \(50x20\)"):
        photographs(train=str(tmp_path)).train_dataloader()
    with pytest.raises(Fault, match=r"data\.train has no|data\.train: .*astronout.*Did you mean astronaut"):
        photographs(train=["astronout"]).train_dataloader()
    with pytest.raises(Fault, match=r"data\.valid is empty"):
        photographs(valid=None).val_dataloader()
    with pytest.raises(Fault, match=r"trainer\.images=2"):
        photographs(images=2)
    (tmp_path / "tiny.png").write_text("no picture")
    with pytest.raises(Fault, match=r"tiny\.png is no picture"):
        photographs(train=str(tmp_path)).train_dataloader()
