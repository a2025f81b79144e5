"""What a configuration may name as a `_target_`. It may come with a checkpoint from a stranger, and is not to run what it likes."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any

from csrgan.fault import Fault

# The rooms that the yaml files build from, and not the commands, which write files.
ROOMS = tuple(f"csrgan.{room}" for room in ("data", "degradation", "losses", "networks", "systems"))
PACKAGES = (*ROOMS, "torch.nn", "torch.optim")
MORE = "CSRGAN_ALLOW"  # in the environment: packages of one's own, with commas between them


def examine(tree: Any, place: str = "") -> None:
    """Raise Fault for every `_target_` in a configuration that may not be built, before anything is. place: the tree's key.

    Each must name a class or a function that is defined in PACKAGES or in a package that CSRGAN_ALLOW names: a module's path leads
    to whatever it has imported, too. Nothing is left to resolve, for an interpolation could make another `_target_`.
    """
    faults = list(_faults(tree, place))
    if faults:
        raise Fault("\n".join(faults))


def _faults(tree: Any, place: str) -> Iterator[str]:
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield from _target_fault(tree["_target_"], f"{place}._target_".lstrip("."))
        for key, value in tree.items():
            yield from _faults(value, f"{place}.{key}".lstrip("."))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _faults(value, f"{place}[{index}]")
    elif isinstance(tree, str) and "${" in tree:
        yield f"{place}={tree} is an interpolation that nothing has resolved."


def _target_fault(target: Any, place: str) -> Iterator[str]:
    allowed = (*PACKAGES, *filter(None, (name.strip() for name in os.environ.get(MORE, "").split(","))))
    refused = (
        f"{place}={target} may not be built: a configuration names classes and functions of {', '.join(allowed)};"
        f" {MORE}=PACKAGE in the environment allows those of another package."
    )
    if not isinstance(target, str) or not _within(target, allowed):  # nothing else is even imported
        yield refused
        return
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError, ValueError) as reason:
        yield f"{place}={target} is not there: {reason}."
        return
    own = isinstance(getattr(found, "__module__", None), str) and _within(found.__module__, allowed)
    if not own or not (inspect.isclass(found) or inspect.isroutine(found)):
        yield refused


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
