"""Batches can be stopped, resumed and shared between processes."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from streamed import photographs, same, stream
from torch.utils.data import Dataset, default_collate

from csrgan.data.loader import ResumableBatchSampler, ResumableLoader
from csrgan.errors import UserError


class Slow(Dataset[int]):
    """The first sample takes longest, as when processes must start."""

    def __getitem__(self, index: int) -> int:
        time.sleep(0.02 if index else 0.3)
        return index


def test_waiting_does_not_include_the_first_batch() -> None:
    loader = ResumableLoader(Slow(), ResumableBatchSampler(4, 1), collate_fn=default_collate)
    for _ in loader:
        time.sleep(0.1)  # a training step
    assert loader.first >= 0.3
    assert 0.06 <= loader.waited < 0.2


def test_processes_share_the_batches_and_each_resumes_where_it_stopped() -> None:
    spans = [ResumableBatchSampler(25, 6, rank, 3) for rank in range(3)]
    assert [len(span) for span in spans] == [4, 4, 4]
    batches = [list(span) for span in spans]
    together = [[index for share in shares for index in share] for shares in zip(*batches, strict=True)]
    assert together == list(ResumableBatchSampler(25, 6))
    spans[1].start = 3
    assert list(spans[1]) == [[20, 21]]


NEW_MOUNTS, PRIVATE = 0x20000, 0x44000  # CLONE_NEWNS; MS_REC | MS_PRIVATE


def with_shm(size: int, what: Callable[[], object]) -> None:
    """Run the action in a process whose /dev/shm has `size` bytes. Skip the test where that is not possible."""
    child = os.fork()
    if not child:
        signal.alarm(30)  # what waits for ever ends so
        libc, status = ctypes.CDLL(None), 77
        try:
            mounted = not libc.unshare(NEW_MOUNTS) and not libc.mount(b"none", b"/", None, PRIVATE, None)
            if mounted and not libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, f"size={size}".encode()):
                what()
                status = 0
        except BaseException as reason:
            print(repr(reason))
            status = 1
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 77:
        pytest.skip("may not mount another /dev/shm")
    assert status == 0


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="has no /dev/shm, which is Linux's")
def test_a_small_dev_shm_is_enough() -> None:
    """A container has 64 MB, and batches may need many hundreds: here 64 KiB for batches of 1.5 MB."""
    settings = {"crop": 256, "batch_size": 8, "images": 160}
    plain = [batch.sharp.sum() for batch in photographs(**settings).train_dataloader()]

    def read() -> None:
        found = []
        for batch in photographs(**settings, workers=2).train_dataloader():
            time.sleep(0.005)  # the loader processes run ahead
            found.append(batch.sharp.sum())
        assert found == plain

    with_shm(2**16, read)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="has no /dev/shm, which is Linux's")
def test_a_full_dev_shm_is_an_error_with_a_remedy() -> None:
    def read() -> None:
        Path("/dev/shm/full").write_bytes(bytes(4096))
        with pytest.raises(
            UserError, match=r"cannot be started \(No space left on device\).*--shm-size=1g, or take data\.workers=0"
        ):
            next(iter(photographs(workers=1).train_dataloader()))

    with_shm(4096, read)


def test_batches_of_a_loader_process_have_the_same_memory_layout() -> None:
    one, other = (next(iter(photographs(workers=count).train_dataloader())) for count in (0, 1))
    assert torch.equal(one.sharp, other.sharp)
    assert one.sharp.stride() == other.sharp.stride()
    assert one.noise == other.noise and one.names == other.names
    other.sharp.zero_()  # it can be written


@pytest.mark.parametrize(("change", "workers"), [("gone", 0), ("smaller", 0), ("another", 0), ("another", 1)])
def test_a_photograph_that_changes_is_an_error_in_one_sentence(change: str, workers: int, tmp_path: Path) -> None:
    """Without a cache every crop is decoded from its file."""
    names = ("a.png", "b.png", "c.png")
    for index, name in enumerate(names):
        Image.new("RGB", (64, 64), (index, 1, 2)).save(tmp_path / name)
    data = photographs(train=str(tmp_path), cache=str(tmp_path / "cache"), cache_mb=0, memory_mb=0, workers=workers, images=200)
    batches = iter(data.train_dataloader())
    next(batches)
    for name in names:
        if change == "gone":
            (tmp_path / name).unlink()
        else:
            Image.new("RGB", (20, 20) if change == "smaller" else (64, 64), "red").save(tmp_path / name)
    with pytest.raises(UserError) as told:
        list(batches)
    sentence = str(told.value)
    assert sentence.startswith(str(tmp_path))
    assert ("cannot be read: No such file" if change == "gone" else "has changed since it was first read") in sentence
    assert "put it back; csrgan train resume=RUN_FOLDER then continues a training" in sentence
    assert "\n" not in sentence


def test_a_changed_photograph_does_not_matter_if_the_cache_holds_it(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.effect_noise((64, 64), 50).convert("RGB").save(tmp_path / name)
    settings = {"train": str(tmp_path), "cache": str(tmp_path / "cache")}
    plain, data = stream(photographs(**settings)), photographs(**settings)
    data.train_dataloader()
    for name in ("a.png", "b.png"):
        (tmp_path / name).unlink()
    assert same(plain, stream(data))
