"""What the processes that train together exchange. With one process, every function returns what it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

Value = TypeVar("Value")


def processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return the number of this process; 0 writes and speaks."""
    return distributed.get_rank() if processes() > 1 else 0


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes, all in one message. The processes get the same bits."""
    count = processes()
    if count == 1 or not tensors:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= count
    for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def mean(tensor: Tensor) -> Tensor:
    """Return the mean of a tensor over the processes."""
    if processes() == 1:
        return tensor
    result = tensor.clone()
    average([result])
    return result


def means(values: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Return the mean of each number over the processes, which give the same names in the same order."""
    if processes() == 1 or not values:
        return dict(values)
    numbers = mean(torch.stack([value.detach().to(device, torch.float64) for value in values.values()]))
    return {name: number.to(value.dtype) for (name, value), number in zip(values.items(), numbers, strict=True)}


def average_buffers(buffers: Sequence[Tensor]) -> None:
    """Average buffers such as the statistics of a batch norm. In float64, so that those that are alike keep their bits."""
    if processes() > 1:
        floating = [buffer for buffer in buffers if buffer.is_floating_point()]
        wide = [buffer.double() for buffer in floating]
        average(wide)
        for buffer, value in zip(floating, wide, strict=True):
            buffer.copy_(value)


def largest(number: int, device: torch.device) -> int:
    """Return the largest number that any process gives."""
    if processes() == 1:
        return number
    tensor = torch.tensor([number], device=device)
    distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
    return int(tensor)


def gathered(value: Value) -> list[Value]:
    """Return what each process gives, in the order of their numbers. The values travel pickled."""
    if processes() == 1:
        return [value]
    values: list[Value] = [value] * processes()
    distributed.all_gather_object(values, value)
    return values


def spread(module: nn.Module) -> None:
    """Give all processes the weights and buffers of the first."""
    if processes() > 1:
        for tensor in (*module.parameters(), *module.buffers()):
            whole = tensor.detach().contiguous()
            distributed.broadcast(whole, 0)
            tensor.detach().copy_(whole)


def barrier() -> None:
    """Wait until all processes are here."""
    largest(0, _device())


def _device() -> torch.device:
    on_gpu = processes() > 1 and distributed.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")
