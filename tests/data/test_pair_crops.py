"""L and H of given pairs show the same place, in every crop and in every layout; the stream is a pure function of (seed, i)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from csrgan import Degradation, Pairs, Parameters, Photographs
from csrgan.data.pair_sizes import enlarged_part
from csrgan.errors import UserError

SCALE = 2


def native(scale: float = SCALE) -> Degradation:
    return Degradation(scale={"low": scale, "high": scale}, output="native")


def write(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    """Pairs whose H repeats each pixel of L SCALE times along both axes, which no flip or turn changes."""
    for k in range(3):
        low = np.random.default_rng(k).integers(0, 256, (40 + k, 50, 3), np.uint8)
        write(tmp_path / "set" / "low" / f"{k}x{SCALE}.png", low)
        write(tmp_path / "set" / "sharp" / f"{k}.png", low.repeat(SCALE, 0).repeat(SCALE, 1))
    return tmp_path / "set"


def data(source: Pairs, folder: Path, degradation: Degradation, **settings: object) -> Photographs:
    common = {"images": 48, "batch_size": 4, "crop": 32, "evaluation_crop": 48, "cache": str(folder.parent / "cache")}
    return Photographs(train=source, valid=source, degradation=degradation, **(common | settings))  # type: ignore[arg-type]


def batches(photographs: Photographs, start: int = 0) -> list[tuple[Tensor, Tensor, Parameters, tuple[str, ...]]]:
    loader = photographs.train_dataloader()
    loader.load_state_dict({"handed_out": start})
    made = [photographs.on_after_batch_transfer(batch, 0) for batch in loader]
    return [(batch.sharp, batch.low, batch.parameters, batch.names) for batch in made]


def test_native_l_and_h_are_cut_at_the_same_place(blocks: Path) -> None:
    photographs = data(Pairs(folder=str(blocks)), blocks, native())
    for sharp, low, theta, _ in batches(photographs):
        assert low.shape[-1] == 16
        assert torch.equal(sharp, low.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3))
        assert theta.knows("scale") and not theta.knows("blur_std")
    for batch in (photographs.on_after_batch_transfer(item, 0) for item in photographs.val_dataloader()):
        assert batch.sharp.shape[-2:] == (48, 48)
        assert torch.equal(batch.sharp, batch.low.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3))


def test_l_as_large_as_h_is_cut_at_the_same_place(blocks: Path) -> None:
    (blocks / "sharp").rename(blocks / "clean")
    (blocks / "noisy").symlink_to(blocks / "clean")
    source = Pairs(low=str(blocks / "noisy"), sharp=str(blocks / "clean"))
    for sharp, low, theta, _ in batches(data(source, blocks, Degradation())):
        assert torch.equal(sharp, low)
        assert not theta.knows("scale")


@pytest.mark.parametrize("scale", [1.7, 2.0, 3.0])
def test_a_smaller_l_is_enlarged_as_the_degradation_enlarges_it(scale: float, chelsea: Tensor) -> None:
    """Part by part, as far as both are not clipped: U of the operator is the witness."""
    theta = Parameters(*(torch.tensor([value]) for value in (2.0, scale, 0.0)))
    whole = Degradation().degrade(chelsea, theta)[0].permute(1, 2, 0).numpy()
    small = native(scale).degrade(chelsea, theta)[0].permute(1, 2, 0).numpy()
    size = whole.shape[:2]
    for top, left, height, width in ((0, 0, *size), (0, 7, 32, 40), (size[0] - 33, size[1] - 20, 33, 20)):
        part = enlarged_part(small, size, top, left, height, width)
        assert np.abs(part - whole[top : top + height, left : left + width]).max() < 2e-5


def test_the_stream_resumes_and_share_mixes_synthetic_crops_in(blocks: Path) -> None:
    photographs = [data(Pairs(folder=str(blocks), share=0.5), blocks, native()) for _ in range(2)]
    whole, later = batches(photographs[0]), batches(photographs[1], start=5)
    assert len(whole) == 12 and len(later) == 7
    for one, other in zip(whole[5:], later, strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1]) and one[3] == other[3]
    synthetic = torch.cat([theta.blur_std.isfinite() for _, _, theta, _ in whole])
    assert 0.25 < synthetic.float().mean() < 0.75
    for sharp, low, theta, _ in whole:
        enlarged = low.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3)
        given = theta.blur_std.isnan()
        assert torch.equal(sharp[given], enlarged[given])
        assert not any(torch.equal(sharp[k], enlarged[k]) for k in (~given).nonzero().flatten().tolist())
    synthetic_only = batches(data(Pairs(sharp=str(blocks / "sharp"), share=1.0), blocks, native()))
    everything = batches(data(Pairs(folder=str(blocks), share=1.0), blocks, native()))
    assert all(torch.equal(one[1], other[1]) for one, other in zip(synthetic_only, everything, strict=True))


def test_every_fault_of_the_sizes_is_told_at_once(blocks: Path) -> None:
    sizes = {"larger": (60, 50), "uneven": (40, 25), "turned": (50, 40), "three": (27, 34), "good": (40, 50)}
    for name, size in sizes.items():
        write(blocks / "low" / f"{name}.png", np.zeros((*size, 3), np.uint8))
        side = (40, 50) if name == "larger" else (80, 100)
        write(blocks / "sharp" / f"{name}.png", np.zeros((*side, 3), np.uint8))
    with pytest.raises(UserError) as told:
        data(Pairs(folder=str(blocks)), blocks, native()).pictures("data.train")
    lines = str(told.value).splitlines()
    assert lines == [
        "data.train, larger.png: L has 50x60 px and H 50x40 px: H must be as large as L or larger.",
        "data.train, three.png: L has 34x27 px and H 100x80 px, and L must be 2 times smaller than H.",
        "data.train, turned.png: L has 40x50 px and H 100x80 px, which is 2.5 times smaller across and 1.6 times down; one of them"
        " is turned.",
        "data.train, uneven.png: L has 25x40 px and H 100x80 px, which is 4 times smaller across and 2 times down.",
    ]


def test_pairs_of_another_scale_are_one_sentence(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "set" / "low" / f"{name}.png", np.zeros((20, 25, 3), np.uint8))
        write(tmp_path / "set" / "sharp" / f"{name}.png", np.zeros((80, 100, 3), np.uint8))
    with pytest.raises(UserError) as told:
        data(Pairs(folder=str(tmp_path / "set")), tmp_path / "set", native()).pictures("data.valid")
    assert str(told.value) == (
        "data.valid: this degradation enlarges by 2, and no pair is so: in a.png, L has 25x20 px and H 100x80 px, and L must be 2"
        " times smaller than H."
    )


def test_h_is_cut_to_what_l_covers(tmp_path: Path) -> None:
    """As sets do whose sides are no multiples of the scale, however L was rounded."""
    for k, (rows, columns) in enumerate(((33, 34), (34, 33))):
        write(tmp_path / "set" / "low" / f"{k}.png", np.zeros((rows, columns, 3), np.uint8))
        write(tmp_path / "set" / "sharp" / f"{k}.png", np.zeros((67, 67, 3), np.uint8))
    pictures = data(Pairs(folder=str(tmp_path / "set")), tmp_path / "set", native()).pictures("data.valid")
    assert pictures.sizes == [(66, 66), (66, 66)]
    assert pictures.pixels(0).shape == (66, 66, 3)
