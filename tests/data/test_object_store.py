"""Shards in an object store: moto's server speaks the protocol of S3 on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import SMOKE
from streamed import photographs, same, stream

from csrgan.cli import main
from csrgan.data.shards import Sharded
from csrgan.errors import UserError

NEEDS = ("s3fs", "moto", "flask", "flask_cors")
pytestmark = pytest.mark.skipif(not all(map(find_spec, NEEDS)), reason="needs s3fs and moto[server], which are not installed here")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the server with the shards of four photographs in bucket/shards, and yield the folder of the same shards."""
    import s3fs
    from moto.server import ThreadedMotoServer

    place = tmp_path_factory.mktemp("store") / "shards"
    train = "data.train=[astronaut,camera,brick,coffee]"
    assert main(["prepare", "format=shards", f"destination={place}", train, "shard_mb=1"]) == 0
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        system = s3fs.S3FileSystem(skip_instance_cache=True)
        system.mkdir("bucket")
        system.put(f"{place}/", "bucket/shards/", recursive=True)
        yield place
    server.stop()


@pytest.mark.parametrize("change", [{}, {"workers": 1}, {"memory_mb": 0, "batch_size": 8}], ids=str)
def test_a_training_reads_the_same_samples_from_a_store_as_from_a_folder(store: Path, change: dict[str, object]) -> None:
    fixed = {"window": 2, "crops_per_image": 2, **change}
    near, far = (stream(photographs(train=train, **fixed)) for train in (str(store), "s3://bucket/shards"))
    assert same(near, far)


def test_a_store_may_be_kept_on_disk(store: Path, tmp_path: Path) -> None:
    near, far = Sharded(str(store)), Sharded("simplecache::s3://bucket/shards")
    near.look_ahead([0, 2])
    far.look_ahead([0, 2])
    assert all((near.pixels(k) == far.pixels(k)).all() for k in range(len(near.names)))


def test_the_command_trains_from_a_store(store: Path, tmp_path: Path) -> None:
    words = [*SMOKE, "data=stream", "data.train=s3://bucket/shards", "data.valid=[chelsea]", f"run_dir={tmp_path}/run"]
    assert main(["train", *words]) == 0
    assert (tmp_path / "run" / "summary.json").is_file()


@pytest.mark.parametrize("url", ["s3://nowhere/shards", "s3://bucket/other"])
def test_a_store_without_shards_is_told_in_one_sentence(store: Path, url: str) -> None:
    with pytest.raises(UserError, match=f"^{url} holds no shards that can be read"):
        Sharded(url)
