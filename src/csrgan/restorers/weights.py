"""All numbers that a restorer holds, whatever its class, so that two restorers with the same settings can be distinguished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from inspect import isclass, ismethod, ismodule, isroutine
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from csrgan.arguments import Recorded


def held(thing: object, place: str = "", seen: dict[int, object] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the place and the bytes of each tensor and array in an object, such as the weights of a module in it, and of each file
    that its recorded arguments name. The device does not matter. seen: the objects that were visited, by id."""
    seen = {} if seen is None else seen
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, Tensor):
        yield place, thing.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    elif isinstance(thing, np.ndarray | np.generic):
        yield place, thing.tobytes()
    else:
        yield from _named_files(thing, place)
        for name, part in _parts(thing).items():
            yield from held(part, f"{place}.{name}".lstrip("."), seen)


def _parts(thing: object) -> Mapping[str, object]:
    """Return what an object consists of, by name; nothing for what holds no numbers of its own."""
    if isinstance(thing, Mapping):
        return {str(key): value for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return {str(index): value for index, value in enumerate(thing)}
    if isinstance(thing, partial):
        return {"function": thing.func, "args": thing.args, "keywords": thing.keywords}
    if ismethod(thing):
        return {"self": thing.__self__}
    return {} if isclass(thing) or ismodule(thing) or isroutine(thing) else getattr(thing, "__dict__", {})


def _named_files(thing: object, place: str) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each file that a recorded argument names, such as a checkpoint."""
    for name, value in thing.arguments().items() if isinstance(thing, Recorded) else ():
        if isinstance(value, str | Path) and value and Path(value).expanduser().is_file():
            yield f"{place}.{name}", Path(value).expanduser().read_bytes()
