"""Build what a stranger's file describes: only networks and their parts, and none much larger than the file's weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pkgutil import resolve_name
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import torch
from beartype import BeartypeConf
from beartype.door import is_bearable
from hydra.errors import InstantiationException
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from csrgan.config import targets
from csrgan.config.arguments import OWN
from csrgan.config.build import build, without_empty
from csrgan.config.check import declared_rules, value_faults
from csrgan.errors import UserError
from csrgan.tree import Settings

NUMBERS = BeartypeConf(is_pep484_tower=True)  # an int passes where a float is annotated
Kind = TypeVar("Kind")
BESIDE = 2**26  # numbers that a system may hold beyond those in its file, such as a discriminator's weights
MODULES = 20_000  # most layers, of any size

# Functions that make a tensor of any size from numbers alone.
MAKERS: tuple[Callable[..., Tensor], ...] = (
    *(torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.randperm, torch.eye),
    *(torch.arange, torch.linspace, torch.logspace, torch.hann_window, torch.tril_indices, torch.triu_indices, torch.empty_strided),
)


def build_described(recipe: Settings, key: str, kind: type[Kind], origin: str, weights: Mapping[str, Tensor]) -> Kind:
    """Build the object of class `kind` that a stranger's file describes at `key` of its recipe.

    origin: what errors call the file. weights: those in the file.

    Before anything is built, each `_target_` must be allowed (`targets.check_targets`), and each argument must be one that its
    constructor takes, of the annotated type and in the range of its key. What is built may hold a few times as many numbers as the
    file. Raises UserError otherwise.
    """
    check_described(recipe, key, kind, origin)
    storages = {weight.untyped_storage().data_ptr(): weight.untyped_storage().nbytes() for weight in weights.values()}
    place = f"{origin}.{key}"
    try:
        with _no_larger_than(sum(storages.values()) + BESIDE, place):  # bytes: four times as many as there are numbers
            result: Kind = build(recipe[key], place)
            return result
    except UserError:
        raise
    except Exception as reason:
        raise UserError(f"{place} describes what cannot be built ({_brief(reason)}).") from reason


def check_described(recipe: Settings, key: str, kind: type, origin: str) -> None:
    """Raise UserError for all faults at `key` of a stranger's recipe, and if it is not of class `kind`. Nothing is built."""
    node, place = recipe.get(key), f"{origin}.{key}"
    if not (isinstance(node, dict) and "_target_" in node):
        raise UserError(f"{place} describes nothing that can be built.")
    targets.check_targets(node, place, stranger=True)
    target = resolve_name(node["_target_"])
    if not (inspect.isclass(target) and issubclass(target, kind)) or node.get("_partial_"):
        raise UserError(f"{place}._target_={node['_target_']} is no {kind.__name__.lower()}.")
    faults = [
        *(f"{origin}.{fault}" for fault in value_faults({key: node}, declared_rules({key: node}))),
        *_argument_faults(node, place),
    ]
    if faults:
        raise UserError(*faults)


def _argument_faults(tree: object, place: str) -> Iterator[str]:
    """Yield a sentence for each argument that is missing, unknown to its constructor or of the wrong type."""
    nodes = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in nodes:
        yield from _argument_faults(value, f"{place}.{key}")
    if not (isinstance(tree, dict) and "_target_" in tree):
        return
    target = resolve_name(tree["_target_"])
    arguments = {key: value for key, value in tree.items() if key not in OWN}
    if not isinstance(tree.get("_partial_", False), bool) or inspect.isabstract(target):
        yield f"{place} cannot be built: {tree['_target_']} is abstract, or its _partial_ is neither true nor false."
        return
    try:
        signature = inspect.signature(target)
        (signature.bind_partial if tree.get("_partial_") else signature.bind)(**arguments)
    except (TypeError, ValueError) as reason:
        yield f"{place} does not fit {tree['_target_']}: {reason}."
        return
    hints = _hints(target)
    for name, value in arguments.items():
        if name in hints and not _fits(value, hints[name]):
            yield f"{place}.{name} is no {_type_name(hints[name])}."


def _hints(target: object) -> dict[str, object]:
    """Return the annotations of a target's arguments; none if they cannot be resolved, as for some of torch's classes."""
    try:
        return get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except (AttributeError, NameError, TypeError):
        return {}


def _type_name(hint: object) -> str:
    """Return a type as messages name it, without None."""
    members = [member for member in get_args(hint) if member is not NoneType] if isinstance(hint, UnionType) else [hint]
    return " or ".join(member.__name__ if inspect.isclass(member) else str(member) for member in members)


def _fits(value: object, hint: Any) -> bool:
    stand_in = _stand_in(without_empty(value))
    forms = [stand_in, tuple(stand_in)] if isinstance(stand_in, list) else [stand_in]  # a file holds no tuples
    return any(is_bearable(form, hint, conf=NUMBERS) for form in forms)


def _stand_in(value: object) -> object:
    """Return an object of the type that a node will have: an instance of its class that was never initialised."""
    if isinstance(value, dict) and "_target_" in value:
        target = resolve_name(value["_target_"])
        return partial(target) if value.get("_partial_") or not inspect.isclass(target) else object.__new__(target)
    if isinstance(value, dict):
        return {key: _stand_in(inner) for key, inner in value.items()}
    return [_stand_in(inner) for inner in value] if isinstance(value, list) else value


class _SizeLimit(TorchFunctionMode):
    """Count the numbers in all tensors that are made, and raise UserError before one exceeds the limit."""

    def __init__(self, limit: int, place: str) -> None:
        super().__init__()
        self.left, self.modules, self.place = limit, MODULES, place

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if func in MAKERS:
            sizes = {name: value for name, value in kwargs.items() if name != "generator"}  # device meta has no generator
            self.take(func(*args, **{**sizes, "device": "meta"}).numel())
        return func(*args, **kwargs)

    def take(self, numbers: int) -> None:
        self.left -= numbers
        if self.left < 0:
            raise UserError(f"{self.place} describes a network many times as large as the weights in its file.")

    def registered(self, module: nn.Module, name: str, inner: nn.Module | None) -> None:
        self.modules -= 1
        if self.modules < 0:
            raise UserError(f"{self.place} describes a network of more than {MODULES:,} layers.")


@contextmanager
def _no_larger_than(limit: int, place: str) -> Iterator[None]:
    size_limit = _SizeLimit(limit, place)
    hook = hooks.register_module_module_registration_hook(size_limit.registered)
    try:
        with size_limit:
            yield
    finally:
        hook.remove()


def _brief(reason: BaseException) -> str:
    """Return the first line of the cause, which `build` has wrapped."""
    while isinstance(reason, InstantiationException) and reason.__cause__ is not None:
        reason = reason.__cause__
    message = str(reason).strip().split("\n")[0][:200]
    return f"{type(reason).__name__}: {message}" if message else type(reason).__name__
