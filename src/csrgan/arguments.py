"""Objects that record their constructor arguments, so that a checkpoint can say how to rebuild them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import TypeVar

from csrgan.declared import rules
from csrgan.errors import UserError
from csrgan.tree import Settings

Made = TypeVar("Made", bound="Recorded")
OF_TORCH = ("torch.nn", "torch.optim")  # a yaml file names their classes by these short paths


class Recorded:
    """Record the arguments of the constructor, and raise UserError for those that their annotations do not allow (see
    `csrgan.declared`). If your own network or loss derives from it beside `torch.nn.Module`, `csrgan.load` can rebuild it from a
    checkpoint, provided that `CSRGAN_ALLOW` names its package.

    >>> import csrgan
    >>> from csrgan import Recorded
    >>> from csrgan.training.state import UpdateRule
    >>> from csrgan.arguments import description
    >>> class Blur(Recorded):
    ...     def __init__(self, taps: int, std: float = 1.0) -> None: ...
    >>> description(Blur(3))["taps"], description(Blur(3))["std"]
    (3, 1.0)
    >>> csrgan.CSRGAN(rule=UpdateRule(accumulate=0))
    Traceback (most recent call last):
    csrgan.errors.UserError: UpdateRule.accumulate=0 is below 1, the least that it can be.
    """

    def __new__(cls: type[Made], *args: object, **kwargs: object) -> Made:
        _check_arguments(cls, args, kwargs)
        instance = super().__new__(cls)
        instance.__dict__["_given"] = (args, kwargs)
        return instance

    def given_as(self, **arguments: object) -> None:
        """Record these arguments, if the constructor takes them, in place of those passed: objects built where None was passed."""
        args, kwargs = self.__dict__["_given"]
        signature = inspect.signature(type(self))
        accepted = {name: value for name, value in arguments.items() if name in signature.parameters}
        self.__dict__["_given"] = ((), {**signature.bind(*args, **kwargs).arguments, **accepted})

    def arguments(self) -> dict[str, object]:
        """Return the constructor arguments by name, defaults included."""
        args, kwargs = self.__dict__["_given"]
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)


def _check_arguments(cls: type, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    """Raise UserError for arguments that their annotations do not allow."""
    declared = rules(f"{cls.__module__}.{cls.__qualname__}")
    if not declared or not (args or kwargs):  # without arguments the object is being copied, not constructed
        return
    try:
        given = inspect.signature(cls).bind_partial(*args, **kwargs).arguments
    except TypeError:  # the constructor itself raises it
        return
    faults = [fault for name in given.keys() & declared for fault in declared[name].faults(f"{cls.__name__}.{name}", given[name])]
    if faults:
        raise UserError(*faults)


def description(thing: object, place: str = "") -> Settings:
    """Return the node with `_target_` that rebuilds this object, in plain values as in a yaml file.

    Raises UserError, with the place, for an object that does not record its arguments.
    """
    if isinstance(thing, Mapping):
        return {str(key): _plain(value, f"{place}.{key}".lstrip(".")) for key, value in thing.items()}
    target, arguments = _constructed(thing, place)
    partially = {"_partial_": True} if target is not type(thing) else {}
    return {"_target_": name_of(target, place), **partially, **description(arguments, place)}


def _plain(thing: object, place: str) -> object:
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, list | tuple):
        return [_plain(value, f"{place}[{index}]") for index, value in enumerate(thing)]
    return description(thing, place)


def _constructed(thing: object, place: str) -> tuple[Callable[..., object], dict[str, object]]:
    """Return the callable and the arguments that make this object; for a function or a class, itself and no arguments."""
    if isinstance(thing, Recorded):
        return type(thing), thing.arguments()
    if is_dataclass(thing) and not isinstance(thing, type):
        return type(thing), {field.name: getattr(thing, field.name) for field in fields(thing)}
    if isinstance(thing, partial) and not thing.args:
        return thing.func, thing.keywords
    if inspect.isroutine(thing) or isinstance(thing, type):
        return thing, {}
    raise UserError(
        f"{place} is a {type(thing).__name__}, which does not record its arguments: let it derive from csrgan.Recorded."
    )


def name_of(thing: Callable[..., object], place: str = "") -> str:
    """Return the name by which a yaml file builds it. Raises UserError if it has no name that can be imported."""
    module, name = thing.__module__, thing.__qualname__
    if "<" in name or module in (None, "__main__"):
        raise UserError(f"{place} is {name} of {module}, which no other program can import: put it into a module of your own.")
    short = next((package for package in OF_TORCH if module.startswith(f"{package}.")), module)
    return f"{short}.{name}"
