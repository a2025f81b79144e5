"""Objects that know what they were constructed with, so that a checkpoint can say how to build them again."""

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
OF_TORCH = ("torch.nn", "torch.optim")  # whose classes are named by these short names


class Recorded:
    """Remembers the arguments of its constructor, and raises UserError for those that their annotations do not allow (see
    `csrgan.declared`). A network or a loss of your own that derives from it, beside `torch.nn.Module`,
    can be rebuilt by `csrgan.load` from a checkpoint, where `CSRGAN_ALLOW` names its package.

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
        _examine(cls, args, kwargs)
        made = super().__new__(cls)
        made.__dict__["_given"] = (args, kwargs)
        return made

    def given_as(self, **arguments: object) -> None:
        """Remember these in place of what was given, as far as its constructor takes them: objects for which None stood."""
        args, kwargs = self.__dict__["_given"]
        signature = inspect.signature(type(self))
        known = {name: value for name, value in arguments.items() if name in signature.parameters}
        self.__dict__["_given"] = ((), {**signature.bind(*args, **kwargs).arguments, **known})

    def arguments(self) -> dict[str, object]:
        """What it was constructed with, by name, defaults included."""
        args, kwargs = self.__dict__["_given"]
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)


def _examine(cls: type, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    """Raise UserError for arguments that their annotations do not allow."""
    known = rules(f"{cls.__module__}.{cls.__qualname__}")
    if not known or not (args or kwargs):  # none: it is copied, and not constructed
        return
    try:
        given = inspect.signature(cls).bind_partial(*args, **kwargs).arguments
    except TypeError:  # which Python tells
        return
    faults = [told for name in given.keys() & known for told in known[name].faults(f"{cls.__name__}.{name}", given[name])]
    if faults:
        raise UserError(*faults)


def description(thing: object, place: str = "") -> Settings:
    """The node with `_target_` that builds this object again, of plain values alone, as a yaml file would hold it.

    Raises UserError, with its place, for what does not know how it was constructed.
    """
    if isinstance(thing, Mapping):
        return {str(key): _plain(value, f"{place}.{key}".lstrip(".")) for key, value in thing.items()}
    target, arguments = _constructed(thing, place)
    waits = {"_partial_": True} if target is not type(thing) else {}
    return {"_target_": name_of(target, place), **waits, **description(arguments, place)}


def _plain(thing: object, place: str) -> object:
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, list | tuple):
        return [_plain(value, f"{place}[{index}]") for index, value in enumerate(thing)]
    return description(thing, place)


def _constructed(thing: object, place: str) -> tuple[Callable[..., object], dict[str, object]]:
    """What is called to make this object, and with what; of a function or a class, itself."""
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
    """The name by which a yaml file builds it. Raises UserError for what no module holds under a name of its own."""
    module, name = thing.__module__, thing.__qualname__
    if "<" in name or module in (None, "__main__"):
        raise UserError(f"{place} is {name} of {module}, which no other program can import: put it into a module of your own.")
    short = next((package for package in OF_TORCH if module.startswith(f"{package}.")), module)
    return f"{short}.{name}"
