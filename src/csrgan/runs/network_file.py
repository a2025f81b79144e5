"""The file of a published network: its weights as safetensors, all else as JSON in the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from csrgan.tree import Settings

SUFFIX = ".safetensors"
KEY = "csrgan"  # of the metadata
WEIGHTS = "state_dict"  # the tensors of the network; those of `csrgan` have their own names


def encoded(content: Settings, *, half: bool) -> bytes:
    """Return the file of a published network.

    content: `state_dict`, and `csrgan` with plain values and tensors. half: store the weights of layers, but not their biases and
    statistics, as 16-bit floating point.
    """
    tensors = {name: _stored(tensor, half) for name, tensor in content[WEIGHTS].items()}
    tensors |= {f"{KEY}.{place}": tensor.contiguous() for place, tensor in _tensors(content[KEY], "")}
    result: bytes = save(tensors, {KEY: json.dumps(_plain(content[KEY]))})
    return result


def read(file: Path) -> Settings:
    """Return the content that `encoded` was given, with weights in float32. Raises some exception for any other file."""
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (it is no mapping)
        own = json.loads(opened.metadata()[KEY])
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(f"{KEY}.")}
    for name in tensors.keys() - weights.keys():
        *path, last = name.removeprefix(f"{KEY}.").split(".")
        node = own
        for part in path:
            node = node[part]
        node[last] = tensors[name]
    return {WEIGHTS: {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}, KEY: own}


def _stored(tensor: Tensor, half: bool) -> Tensor:
    """Return a tensor as it is stored: the memory of one that shares its own with others is copied."""
    smaller = half and tensor.is_floating_point() and tensor.ndim > 1 and float(tensor.abs().max()) < torch.finfo(torch.float16).max
    return (tensor.half() if smaller else tensor).detach().cpu().contiguous().clone()


def _tensors(tree: object, place: str) -> Iterator[tuple[str, Tensor]]:
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        if isinstance(value, Tensor):
            yield f"{place}{key}", value
        else:
            yield from _tensors(value, f"{place}{key}.")


def _plain(tree: object) -> object:
    """Return a tree without its tensors."""
    if isinstance(tree, Mapping):
        return {key: _plain(value) for key, value in tree.items() if not isinstance(value, Tensor)}
    return [_plain(value) for value in tree] if isinstance(tree, list | tuple) else tree
