"""Shards: many photographs in few files, on disk or behind a URL."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archive_server import ArchiveServer
from commands import SMOKE
from PIL import Image
from rich.console import Console
from streamed import photographs, same, stream

from csrgan.cli import main
from csrgan.data import picture, shards
from csrgan.data.cache import Cache
from csrgan.data.prepared import Prepared
from csrgan.data.shards import Sharded
from csrgan.data.sources import in_folder
from csrgan.errors import UserError

QUIET = Console(quiet=True)


def folder_of(place: Path, count: int, seed: int = 0) -> Prepared:
    place.mkdir(parents=True, exist_ok=True)
    drawn = np.random.default_rng(seed)
    for k in range(count):
        Image.fromarray(drawn.integers(0, 256, (40, 44, 3), np.uint8)).save(place / f"{k:05d}.png", compress_level=0)
    return Cache(place.parent / "cache", 0).prepare(in_folder(place), QUIET)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Path]:
    """Return thirty photographs, and the folder of the six shards that hold them."""
    place = tmp_path_factory.mktemp("shards")
    pictures = folder_of(place / "photos", 30)
    assert shards.write(pictures, place / "shards", 5.2 * pictures.files[0].stat().st_size / 2**20, QUIET) == 6
    return pictures, place / "shards"


def test_shards_hold_every_photograph(packed: tuple[Prepared, Path]) -> None:
    pictures, place = packed
    found = Sharded(str(place))
    assert found.names == pictures.names
    assert found.sizes == pictures.sizes
    assert [list(group) for group in found.groups] == [list(range(5 * k, 5 * k + 5)) for k in range(6)]
    assert all(np.array_equal(found.pixels(k), picture.read(file).pixels) for k, file in enumerate(pictures.files))
    with tarfile.open(place / "000001.tar") as shard:  # what WebDataset and tar see
        assert shard.getnames() == pictures.names[5:10]


def test_interrupted_writing_is_resumed(packed: tuple[Prepared, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, place = packed
    size = 5.2 * pictures.files[0].stat().st_size / 2**20
    with monkeypatch.context() as broken:
        broken.setattr(tarfile.TarFile, "addfile", fails_at(18))
        with pytest.raises(KeyboardInterrupt):
            shards.write(pictures, tmp_path, size, QUIET)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000000.tar", "000001.tar", "000002.tar", "index.json.part"]
    with pytest.raises(UserError, match="holds no shards that can be read"):
        Sharded(str(tmp_path))
    (tmp_path / "000001.tar").write_bytes((place / "000005.tar").read_bytes())  # of another set of photographs
    (tmp_path / ".000003.tar.part").write_bytes(b"half")
    before = (tmp_path / "000002.tar").stat().st_ino
    for _ in range(2):
        shards.write(pictures, tmp_path, size, QUIET)
        assert (tmp_path / "000002.tar").stat().st_ino == before
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
            file.name: file.read_bytes() for file in place.iterdir()
        }


def fails_at(count: int) -> Callable[..., None]:
    """Return a replacement of TarFile.addfile that adds `count` files and fails at the next."""
    left, add = [count], tarfile.TarFile.addfile

    def stopped(*given: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        add(*given)

    return stopped


@pytest.mark.parametrize("name", ["000000.tar", "000003.tar", ".000003.tar.part", "index.json", "index.json.part"])
@pytest.mark.parametrize("data", [b"mine", b"{}", b'{"format": "another", "shards": []}'])
def test_a_file_of_the_user_is_not_overwritten(packed: tuple[Prepared, Path], tmp_path: Path, name: str, data: bytes) -> None:
    pictures, _ = packed
    (tmp_path / name).write_bytes(data)
    sentence = f"holds {re.escape(name)}, which csrgan prepare has not written: choose an empty or a new folder"
    with pytest.raises(UserError, match=sentence):
        shards.write(pictures, tmp_path, 5.2 * pictures.files[0].stat().st_size / 2**20, QUIET)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(name, data)]


def test_a_changed_photograph_is_packed_again_and_a_shard_of_the_user_is_kept(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for seed in (0, 1):
        pictures = folder_of(photos, 3, seed)
        shards.write(pictures, tmp_path / "shards", 1, QUIET)
        found = Sharded(str(tmp_path / "shards"))
        assert np.array_equal(found.pixels(2), picture.read(photos / "00002.png").pixels)
    (tmp_path / "shards" / "000001.tar").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"holds 000001\.tar"):
        shards.write(pictures, tmp_path / "shards", 2 * pictures.files[0].stat().st_size / 2**20, QUIET)
    assert (tmp_path / "shards" / "000001.tar").read_bytes() == b"mine"
    assert np.array_equal(Sharded(str(tmp_path / "shards")).pixels(2), found.pixels(2))


def test_the_stream_is_a_function_of_seed_and_index(packed: tuple[Prepared, Path]) -> None:
    fixed = {"train": str(packed[1]), "window": 2, "crops_per_image": 2, "images": 72}
    plain = stream(photographs(**fixed))
    for change in ({"workers": 2}, {"batch_size": 8}, {"memory_mb": 0}, {"train": f"file://{packed[1]}"}):
        assert same(plain, stream(photographs(**(fixed | change)))), change
    again = photographs(**fixed).train_dataloader()
    again.load_state_dict({"handed_out": 9})
    assert [tuple(batch.names) for batch in again] == [batch.names for batch in list(photographs(**fixed).train_dataloader())[9:]]


def test_shards_can_be_read_from_a_url(packed: tuple[Prepared, Path]) -> None:
    pictures, place = packed
    with ArchiveServer({file.name: file.read_bytes() for file in place.iterdir()}) as server:
        fixed = {"window": 2, "crops_per_image": 2}
        near, far = (stream(photographs(train=train, workers=1, **fixed)) for train in (str(place), f"{server.url}/shards"))
        assert same(near, far)
        index = len(server.files["index.json"])
        assert server.sent - index < 24 * 2 * pictures.files[0].stat().st_size  # pictures, not shards


def test_the_photographs_of_a_batch_are_read_at_once(packed: tuple[Prepared, Path]) -> None:
    """Each request takes a while to be answered. What fails is read again; nothing else is read twice."""
    place = packed[1]
    with ArchiveServer({file.name: file.read_bytes() for file in place.iterdir()}) as server:
        far, near = Sharded(f"{server.url}/shards"), Sharded(str(place))
        server.pause, server.ranges = 0.05, []
        far.look_ahead(range(12))
        assert server.at_once >= 4
        assert all(np.array_equal(far.pixels(k), near.pixels(k)) for k in range(12))
        assert len(server.ranges) == 12
        server.statuses = [503]
        far.look_ahead([20, 21])
        assert all(np.array_equal(far.pixels(k), near.pixels(k)) for k in (20, 21))
        assert len(server.ranges) == 14
        server.at_once = 0
        server.pause = 0.02
        stream(photographs(train=f"{server.url}/shards", batch_size=8, memory_mb=0))
        assert server.at_once >= 4  # as a training reads them


def test_files_that_are_not_shards_are_refused(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(UserError, match="does not have the format 'csrgan shards 1'"):
        Sharded(str(tmp_path))
    with pytest.raises(UserError, match="holds no shards that can be read"):
        Sharded("file:///nowhere")
    with pytest.raises(UserError, match="holds no shards that can be read"):
        Sharded("gopher://somewhere")


@pytest.mark.parametrize(("column", "odd"), [(1, 2**63), (2, 2**35), (2, 2**63 - 33), (3, 2**64), (4, 0), (1, -1)])
def test_an_impossible_offset_is_refused_before_it_is_read(tmp_path: Path, column: int, odd: int) -> None:
    row: list[object] = ["a.png", 0, 10, 4, 4]
    row[column] = odd
    held = {"format": shards.FORMAT, "shards": [{"file": "0.tar", "pictures": [row]}]}
    (tmp_path / "index.json").write_text(json.dumps(held))
    with pytest.raises(UserError, match="is damaged"):
        Sharded(str(tmp_path))


@pytest.mark.long
def test_twenty_thousand_photographs(tmp_path: Path) -> None:
    """From files to shards to training, with the commands."""
    pictures = folder_of(tmp_path / "photos", 20_000)
    words = ["data=folder", f"data.train={tmp_path}/photos", f"data.cache={tmp_path}/cache"]
    assert main(["prepare", "format=shards", f"destination={tmp_path}/shards", "shard_mb=8", *words]) == 0
    found = Sharded(str(tmp_path / "shards"))
    assert found.names == pictures.names
    assert len(found.groups) > 10
    order = photographs(train=str(tmp_path / "shards"), images=20_000).train_dataloader().dataset.order
    assert sorted(order[index] for index in range(20_000)) == list(range(20_000))
    smoke = [*SMOKE, "data.crop=32", f"run_dir={tmp_path}/run"]
    valid = f"data.valid={Path(__file__).parents[2] / 'experiments' / '000_make_train'}"
    assert main(["train", *smoke, "data=stream", f"data.train={tmp_path}/shards", valid, "data.workers=2"]) == 0
