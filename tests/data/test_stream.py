"""Sample i is a pure function of (seed, i)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from streamed import README, photographs, same, stream

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_priors import Anisotropic
from csrgan.degradation.noise import standard_normal
from csrgan.degradation.operator import degrade
from csrgan.errors import UserError


def test_a_native_protocol_needs_crops_and_gets_pictures_of_whole_low_resolution_pixels() -> None:
    native = Degradation(**(README | {"scale": {"low": 3, "high": 3}}), output="native")
    with pytest.raises(UserError, match=r"data\.crop=32 is no multiple of the scale 3.*; 30 and 33 are\."):
        photographs(degradation=native).train_dataloader()
    data = photographs(degradation=native, crop=33, evaluation_crop=64)
    for batch in (next(iter(data.train_dataloader())), data.val_dataloader().dataset[0]):
        degraded = data.on_after_batch_transfer(batch, 0)
        assert all(3 * low == sharp for low, sharp in zip(degraded.low.shape[2:], degraded.sharp.shape[2:], strict=True))
    assert degraded.sharp.shape == (1, 3, 63, 63)


def test_kernels_travel_with_the_stream_and_the_grid() -> None:
    kernel = Anisotropic(ordered=True, noise=0.0, stages=1)
    blur = {"low": 0.1, "high": 10, "uniform_in": "variance"}
    data = photographs(degradation=Degradation(**(README | {"blur": blur}), kernel=kernel, kernel_size=15))
    batches = list(data.train_dataloader())
    assert len(torch.unique(torch.cat([batch.parameters.kernel for batch in batches]), dim=0)) == 24
    again = list(photographs(degradation=data.degradation, workers=1).train_dataloader())
    assert all(torch.equal(a.parameters.kernel, b.parameters.kernel) for a, b in zip(batches, again, strict=True))
    batch = data.on_after_batch_transfer(batches[0], 0)
    alone = degrade(batch.sharp[:1], batch.parameters[:1])
    quiet = degrade(batch.sharp, replace(batch.parameters, noise_std=torch.zeros(4)))
    torch.testing.assert_close(quiet[:1], alone, atol=1e-6, rtol=0)
    cells = [item.parameters.kernel for item in data.val_dataloader().dataset]
    assert torch.equal(cells[0], cells[1])  # two noise seeds of one cell
    assert not torch.equal(cells[0], cells[2])


def test_worker_count_batch_size_and_memory_do_not_change_the_samples() -> None:
    """H, L with its noise, and theta, byte for byte."""
    plain = stream(photographs())
    assert len(plain) == 24
    for change in (
        {"workers": 1},
        {"workers": 2},
        {"batch_size": 8},
        {"workers": 2, "batch_size": 6},
        {"memory_mb": 0},
        {"cache_mb": 0},
    ):
        assert same(plain, stream(photographs(**change))), change
    assert not same(plain, stream(photographs(seed=6)))


def test_several_processes_share_the_samples_of_one() -> None:
    """Each takes its half of every batch of 4."""
    plain = stream(photographs())
    ranks = []
    for rank in range(2):
        data = photographs()
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        ranks.append(stream(data))
    together = [sample for step in range(0, 12, 2) for ranked in ranks for sample in ranked[step : step + 2]]
    assert same(plain, together)


LATE = {"final_crop": 48, "final_fraction": 0.4}


def test_the_last_crops_are_larger_and_alike_in_a_batch() -> None:
    """Of 6 batches of 4 two fifths, to the nearest batch; also of two processes together. The others stay what they were."""
    plain, late = stream(photographs()), stream(photographs(**LATE))
    assert [sharp.shape[-1] for sharp, *_ in late] == [32] * 16 + [48] * 8
    assert same(late[:16], plain[:16])
    assert same(late, stream(photographs(**LATE, workers=2)))
    assert [sharp.shape[-1] for sharp, *_ in stream(photographs(final_crop=48, final_fraction=0.001))] == [32] * 20 + [48] * 4
    ranks = []
    for rank in range(2):
        data = photographs(**LATE)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        ranks.append([sharp.shape[-1] for sharp, *_ in stream(data)])
    assert ranks == [[32] * 8 + [48] * 4] * 2


def test_the_pixels_of_the_first_samples_are_their_crops_together() -> None:
    sides = photographs(**LATE).sides()
    for count in range(25):
        assert sides.pixels(count) == sum(sides[index] ** 2 for index in range(count))
    assert sides[sides.largest_from] == 48
    assert sides[sides.largest_from - 1] == 32
    assert photographs().sides().largest_from == 0


def test_no_crop_and_no_theta_comes_twice() -> None:
    plain = stream(photographs())
    for column in zip(*plain, strict=True):
        assert len({value.numpy().tobytes() for value in column}) == 24


def test_each_photograph_comes_once_a_round() -> None:
    order = photographs().train_dataloader().dataset.order
    for round_ in range(3):
        assert sorted(order[3 * round_ + index] for index in range(3)) == [0, 1, 2]


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
    undegraded = next(iter(data.train_dataloader()))
    batch = data.on_after_batch_transfer(undegraded, 0)
    noise = standard_normal(tuple(batch.sharp.shape), batch.parameters, seeds=undegraded.noise)
    again = data.degradation(batch.sharp, params=data.degradation.recorded(batch.parameters, noise))
    assert torch.equal(again, batch.low)
    assert len(torch.unique(batch.parameters.blur_std)) == len(batch.sharp)


def test_the_grid_is_frozen() -> None:
    one, other = (list(photographs(seed=seed, batch_size=size).val_dataloader()) for seed, size in ((1, 4), (2, 8)))
    assert len(one) == 4
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.noise, b.noise)
        assert torch.equal(a.parameters.stack(), b.parameters.stack())
    assert one[0].sharp.shape == (1, 3, 64, 64)
    assert not torch.equal(one[0].noise, one[1].noise)


def test_faults_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((20, 50, 3), np.uint8)).save(tmp_path / "tiny.png")
    with pytest.raises(
        UserError, match=r"data\.crop=32 is larger than every photograph of data\.train: tiny\.png \(50x20 is smaller"
    ):
        photographs(train=str(tmp_path)).train_dataloader()
    with pytest.raises(UserError, match=r"data\.train has no|data\.train: .*astronout.*Did you mean astronaut"):
        photographs(train=["astronout"]).train_dataloader()
    with pytest.raises(UserError, match=r"data\.valid is empty"):
        photographs(valid=None).val_dataloader()
    with pytest.raises(UserError, match=r"trainer\.images=2"):
        photographs(images=2)
    (tmp_path / "tiny.png").write_text("no picture")
    with pytest.raises(UserError, match=r"no photograph can be used: tiny\.png \(cannot be read as a picture"):
        photographs(train=str(tmp_path)).train_dataloader()
