"""What a configuration may name as a `_target_`. It may come with a file from a stranger, and is not to run what it likes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from pkgutil import resolve_name

from csrgan.config.folder import conf
from csrgan.config.search import ALLOW, packages
from csrgan.errors import UserError
from csrgan.tree import Settings

# The rooms that the yaml files build from, and not the commands, which write files.
NAMES = ("data", "degradation", "evaluation.metrics", "loggers", "losses", "networks", "restorers", "training")
ROOMS = tuple(f"csrgan.{room}" for room in NAMES)
PACKAGES = (*ROOMS, "lightning.pytorch.callbacks", "lightning.pytorch.loggers", "torch.nn", "torch.optim")

# Of these a stranger's file may build what csrgan's own yaml files name; the data room downloads, decodes and deletes.
DESCRIBED = tuple(f"csrgan.{room}" for room in ("degradation", "losses", "networks", "restorers", "training"))
# No yaml file names these: kernels of one's own, which an override names, what older checkpoints name, and a default of Python.
UNNAMED = ("csrgan.degradation.kernel_priors.FreeForm", "csrgan.networks.output.sigmoid", "csrgan.training.schedule.constant")
OF_TORCH = re.compile(r"torch\.(nn|optim)\.[A-Z]\w*")  # classes of layers and optimizers, by their short names


def check_targets(tree: object, place: str = "", *, stranger: bool = False) -> None:
    """Raise UserError for every `_target_` in a configuration that may not be built, before anything is. place: the tree's key.

    Each must name a class or a function that is defined in PACKAGES or in a package of one's own (see `search`): a module's path
    leads to whatever it has imported, too. Nothing in it is resolved any more, for an interpolation could make another `_target_`.
    stranger: the tree comes with a file. It then names what csrgan's own yaml files do outside the data room, layers and optimizers
    of torch, and what such a package defines; functions are only handed on (`_partial_`), and none is called.
    """
    faults = list(_faults(tree, place, stranger))
    if faults:
        raise UserError(*faults)


@cache
def targets_of_own_files() -> frozenset[str]:
    """What csrgan's own yaml files name in the rooms of DESCRIBED, and UNNAMED."""
    files = conf().rglob("*.yaml")
    named = {name for file in files for name in re.findall(r"_target_: *([\w.]+)", file.read_text(encoding="utf-8"))}
    return frozenset(name for name in named if _within(name, DESCRIBED)).union(UNNAMED)


def _faults(tree: object, place: str, stranger: bool) -> Iterator[str]:
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield from _target_fault(tree, f"{place}._target_".lstrip("."), stranger)
        for key, value in tree.items():
            yield from _faults(value, f"{place}.{key}".lstrip("."), stranger)
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _faults(value, f"{place}[{index}]", stranger)
    elif stranger and isinstance(tree, str) and "${" in tree:
        yield f"{place}={tree} is an interpolation that nothing has resolved."


def _target_fault(node: Settings, place: str, stranger: bool) -> Iterator[str]:
    target, more = node["_target_"], packages()
    named = ("csrgan's own yaml files", "torch.nn", "torch.optim") if stranger else PACKAGES
    refused = (
        f"{place}={target} may not be built: a configuration names classes and functions of {', '.join((*named, *more))};"
        f" {ALLOW}=PACKAGE in the environment allows those of another package."
    )
    if not isinstance(target, str) or not _nameable(target, more, stranger):  # nothing else is even imported
        yield refused
        return
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError, ValueError) as reason:
        yield f"{place}={target} is not there: {reason}."
        return
    own = isinstance(getattr(found, "__module__", None), str) and _within(found.__module__, (*PACKAGES, *more))
    plain = inspect.isclass(found) or (inspect.isroutine(found) and found.__qualname__ == found.__name__)  # and no method
    if not own or not plain:
        yield refused
    elif stranger and not inspect.isclass(found) and node.get("_partial_") is not True:
        yield f"{place}={target} is a function, and would be called: a file may only hand it on, with _partial_: true."


def _nameable(target: str, more: tuple[str, ...], stranger: bool) -> bool:
    if not stranger:
        return _within(target, (*PACKAGES, *more))
    return target in targets_of_own_files() or bool(OF_TORCH.fullmatch(target)) or _within(target, more)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
