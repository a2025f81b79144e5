"""What other libraries say when memory runs out is known by their words, which change with the moment at which it does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from csrgan.config.messages import user_message
from csrgan.errors import UserError, meant, memory_ran_out


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 268 bytes. Error code 12"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 268435456 bytes."),
        RuntimeError("could not create a primitive"),
        RuntimeError("could not execute a primitive\n"),
        RuntimeError("could not create a memory"),
        RuntimeError("std::bad_alloc"),
        ValueError("encoder error: insufficient memory"),
    ],
    ids=repr,
)
def test_memory_that_ran_out_is_known(error: Exception) -> None:
    assert memory_ran_out(error)
    assert "lower data.batch_size" in str(user_message(error))


@pytest.mark.parametrize(
    "error",
    [
        UserError("out of memory.png cannot be read."),
        FileNotFoundError(errno.ENOENT, "No such file", "out of memory.png"),
        RuntimeError("could not create a primitive descriptor for the convolution forward propagation primitive."),
    ],
    ids=repr,
)
def test_a_name_or_another_fault_is_not_taken_for_it(error: Exception) -> None:
    assert not memory_ran_out(error)


def test_one_misspelt_name_of_a_path_is_found(tmp_path: Path) -> None:
    (tmp_path / "runs" / "first" / "checkpoints").mkdir(parents=True)
    true = tmp_path / "runs" / "first"
    assert meant(tmp_path / "runs" / "fiirst") == f" Did you mean {true}?"
    assert meant(tmp_path / "rnus" / "first") == f" Did you mean {true}?"
    assert meant(tmp_path / "runs" / "second") == ""
    assert meant(tmp_path / "rnus" / "fiirst") == ""  # two are misspelt
    assert meant(true) == ""


def test_none_is_proposed_only_where_it_is_meant() -> None:
    """Short and of common letters, it is like many names."""
    assert "Did you mean" not in str(UserError.unknown("sweep", "nosuch", ["none", "stability"]))
    assert str(UserError.unknown("sweep", "non", ["none", "stability"])).endswith("Did you mean none?")
