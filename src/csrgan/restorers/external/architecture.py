"""Networks whose architecture spandrel recognizes by their weights: 42 of super-resolution and restoration."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from csrgan.errors import UserError, require
from csrgan.restorers.external import state
from csrgan.restorers.external.network import ExternalNetwork

INSTALL = "pip install --no-deps spandrel einops"  # with its other dependencies comes a torchvision that may not fit this torch
NAMES = (
    "InterpolationMode",
    "rotate",
    "normalize",
)  # of torchvision.transforms.functional, in two architectures of faces and holes


def read(file: Path, place: str) -> ExternalNetwork:
    """Return the network that these weights belong to. Raises UserError for weights of no known architecture."""
    require(
        find_spec("spandrel") is not None,
        f"{place} needs spandrel, which recognizes networks by their weights: {INSTALL}.",
    )
    spandrel = _imported()
    weights = state.read(file, place)
    try:
        described = spandrel.ModelLoader().load_from_state_dict(spandrel.canonicalize_state_dict(weights))
    except spandrel.UnsupportedModelError as reason:
        raise UserError(
            f"{place} belongs to no architecture that spandrel {spandrel.__version__} knows: name its class, as in"
            " +system.network._target_=THEIRS.Network."
        ) from reason
    except Exception as reason:
        raise UserError(f"{place} does not fit the architecture that it looks like: {type(reason).__name__}: {reason}.") from reason
    name = described.architecture.name
    single = isinstance(described, spandrel.ImageModelDescriptor)
    require(single, f"{place} is {name}, which needs a mask beside the picture.")
    channels = described.input_channels, described.output_channels
    require(channels == (3, 3), f"{place} is {name} with {channels[0]} channels in and {channels[1]} out, and pictures have 3.")
    described.model.eval()
    return ExternalNetwork(described, described.scale, module=described.model)


def _imported() -> Any:
    with _torchvision_stand_in():
        spandrel = importlib.import_module("spandrel")
        importlib.import_module("spandrel.architectures")
    return spandrel


@contextmanager
def _torchvision_stand_in() -> Iterator[None]:
    """While spandrel is imported, let its imports of torchvision succeed where there is none; calling what they give does not."""
    if find_spec("torchvision") is not None or "spandrel" in sys.modules:
        yield
        return
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = {name: ModuleType(name) for name in names}
    for name in NAMES:
        setattr(modules[names[-1]], name, _Absent)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


class _Absent:
    """Stands for what torchvision would define."""

    NEAREST = BILINEAR = None

    def __new__(cls, *_: object, **__: object) -> _Absent:
        raise UserError("this architecture needs torchvision, which csrgan does without.")
