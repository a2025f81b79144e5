"""Building what a file from a stranger describes: nothing but networks and what they need, no larger than the file's weights."""

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
from csrgan.config.build import OWN, build, without_empty
from csrgan.config.check import declared_rules, value_faults
from csrgan.errors import UserError
from csrgan.tree import Settings

NUMBERS = BeartypeConf(is_pep484_tower=True)  # an int is taken where a float is annotated
Kind = TypeVar("Kind")
BESIDE = 2**26  # numbers that a system may hold beside those that its file does, such as a discriminator's
MODULES = 20_000  # layers, however small

# What makes a tensor of any size from numbers alone.
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
    """Raise UserError for all at `key` of a stranger's recipe that may not be built, or is not of this kind, while nothing is."""
    node, place = recipe.get(key), f"{origin}.{key}"
    if not (isinstance(node, dict) and "_target_" in node):
        raise UserError(f"{place} describes nothing that can be built.")
    targets.check_targets(node, place, stranger=True)
    named = resolve_name(node["_target_"])
    if not (inspect.isclass(named) and issubclass(named, kind)) or node.get("_partial_"):
        raise UserError(f"{place}._target_={node['_target_']} is no {kind.__name__.lower()}.")
    faults = [
        *(f"{origin}.{told}" for told in value_faults({key: node}, declared_rules({key: node}))),
        *_argument_faults(node, place),
    ]
    if faults:
        raise UserError(*faults)


def _argument_faults(tree: object, place: str) -> Iterator[str]:
    """A sentence for each argument that its constructor does not take, or not of this type, and for each that is missing."""
    nodes = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in nodes:
        yield from _argument_faults(value, f"{place}.{key}")
    if not (isinstance(tree, dict) and "_target_" in tree):
        return
    found = resolve_name(tree["_target_"])
    given = {key: value for key, value in tree.items() if key not in OWN}
    if not isinstance(tree.get("_partial_", False), bool) or inspect.isabstract(found):
        yield f"{place} cannot be built: {tree['_target_']} is abstract, or its _partial_ is neither true nor false."
        return
    try:
        signature = inspect.signature(found)
        (signature.bind_partial if tree.get("_partial_") else signature.bind)(**given)
    except (TypeError, ValueError) as reason:
        yield f"{place} does not fit {tree['_target_']}: {reason}."
        return
    hints = _hints(found)
    for name, value in given.items():
        if name in hints and not _fits(value, hints[name]):
            yield f"{place}.{name} is no {_called(hints[name])}."


def _hints(found: object) -> dict[str, Any]:
    """The annotations of what a target takes; none where they cannot be told, as of some of torch's."""
    try:
        return get_type_hints(found.__init__ if inspect.isclass(found) else found)
    except (AttributeError, NameError, TypeError):
        return {}


def _called(hint: object) -> str:
    """A kind as a sentence names it; that it may be None goes without saying."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
    return " or ".join(kind.__name__ if inspect.isclass(kind) else str(kind) for kind in kinds)


def _fits(value: object, hint: Any) -> bool:
    stand_in = _stand_in(without_empty(value))
    forms = [stand_in, tuple(stand_in)] if isinstance(stand_in, list) else [stand_in]  # a file has no tuples
    return any(is_bearable(one, hint, conf=NUMBERS) for one in forms)


def _stand_in(value: object) -> object:
    """What a node will become, as far as its type tells: an object of the class that was never initialised."""
    if isinstance(value, dict) and "_target_" in value:
        found = resolve_name(value["_target_"])
        return partial(found) if value.get("_partial_") or not inspect.isclass(found) else object.__new__(found)
    if isinstance(value, dict):
        return {key: _stand_in(each) for key, each in value.items()}
    return [_stand_in(each) for each in value] if isinstance(value, list) else value


class _Counted(TorchFunctionMode):
    """Counts the numbers of all tensors that are made, and stops before one would exceed the limit."""

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
            plain = {name: value for name, value in kwargs.items() if name != "generator"}  # there is none of this device
            self.take(func(*args, **{**plain, "device": "meta"}).numel())
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
    counted = _Counted(limit, place)
    hook = hooks.register_module_module_registration_hook(counted.registered)
    try:
        with counted:
            yield
    finally:
        hook.remove()


def _brief(reason: BaseException) -> str:
    """The cause in a few words; `build` wraps it."""
    while isinstance(reason, InstantiationException) and reason.__cause__ is not None:
        reason = reason.__cause__
    told = str(reason).strip().split("\n")[0][:200]
    return f"{type(reason).__name__}: {told}" if told else type(reason).__name__
