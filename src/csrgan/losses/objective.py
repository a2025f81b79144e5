"""An objective: named, weighted loss terms, whose argument names say which loss inputs they need."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Number
from typing import Protocol, runtime_checkable

from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.errors import UserError, found, raise_faults
from csrgan.ranges import CountOr0, NotNegative


@runtime_checkable
class Loss(Protocol):
    """A loss of a system, see `Term` and `losses.adversarial.Adversarial`. against: loss inputs of the discriminator's loss."""

    weight: float
    start: int
    needs: tuple[str, ...]
    against: tuple[str, ...]


def needs(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of a loss function's inputs. `declared.requested_inputs` reads the same from its source."""
    plain = function.func if isinstance(function, partial) else function
    arguments = inspect.signature(plain).parameters.values()
    return tuple(p.name for p in arguments if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD)


def given(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of the arguments that a loss function was configured with."""
    return tuple(function.keywords) if isinstance(function, partial) else ()


def examine(
    system: object, losses: Mapping[str, object], *, predicts: bool = True, variance: bool = True, told: bool = False
) -> None:
    """Raise UserError for losses that a system cannot learn from. predicts, variance, told: see `rules.losses`."""
    kind = rules.SystemFacts.of(type(system).__name__, lambda attribute: getattr(system, attribute, None))
    enabled = {name: term for name, term in losses.items() if isinstance(term, Loss) and _is_loss(term) and term.weight}
    asked = {
        name: rules.LossRequest(term.needs, term.start, term.against, getattr(term, "given", ())) for name, term in enabled.items()
    }
    raise_faults(_no_losses(losses), rules.losses(kind, asked, predicts=predicts, variance=variance, told=told))


def _is_loss(thing: object) -> bool:
    return getattr(thing, "is_loss", False) is True and not isinstance(thing, type)


def _no_losses(losses: Mapping[str, object]) -> Iterator[str]:
    for name, thing in losses.items():
        function = thing.func if isinstance(thing, partial) else thing if inspect.isroutine(thing) else type(thing)
        if not (_is_loss(thing) or rules.switched_off(thing)):
            full_name = "" if function.__module__ == "builtins" else f"{function.__module__}.{function.__qualname__}"
            yield from rules.no_loss(name, full_name, function=not isinstance(function, type) or not full_name)


class Term(Recorded):
    """A loss function with its weight. The names of the function's positional arguments are its loss inputs.

    start: images seen before the term starts. ramp: images over which its weight then rises from 0.
    """

    is_loss = True  # may stand under `loss`
    Function = Callable[..., Tensor]
    against: tuple[str, ...] = ()

    def __init__(self, function: Function, weight: NotNegative = 1.0, start: CountOr0 = 0, ramp: CountOr0 = 0) -> None:
        if isinstance(kind := function.func if isinstance(function, partial) else function, type):
            name = f"{kind.__module__}.{kind.__qualname__}"
            raise UserError(f"function={name} is a class: leave out _partial_, and an object is built, whose __call__ is the loss.")
        self.function, self.weight, self.start, self.ramp = function, float(weight), start, ramp
        self.needs, self.given = needs(function), given(function)

    def share(self, images_seen: int) -> float:
        """Return the fraction of the weight after `images_seen` images; while it is 0, the term is skipped."""
        if images_seen < self.start:
            return 0.0
        return min(1.0, (images_seen - self.start + 1) / (self.ramp + 1))


class LossInputs(Mapping[str, object]):
    """The inputs that a system offers to its loss terms, by name; a callable is computed once, on first access."""

    def __init__(self, **values: object) -> None:
        self._values = values

    def __getitem__(self, name: str) -> object:
        value = self._values[name]
        if callable(value):
            value = self._values[name] = value()
        return value

    def computed(self) -> Iterator[tuple[str, object]]:
        """Yield the names and values computed so far."""
        return ((name, value) for name, value in self._values.items() if not callable(value))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Objective:
    """A weighted sum of terms. A term that is None or has weight 0 is dropped and costs nothing; so are settings that remain if
    a file changes one of a term that the user switched off.

    loss_inputs: names of the inputs that the system offers. Raises UserError for a term that needs another, and for what is no
    loss.
    """

    def __init__(self, terms: Mapping[str, object], loss_inputs: Iterable[str]) -> None:
        raise_faults(_no_losses(terms))
        self.terms = {name: term for name, term in terms.items() if isinstance(term, Term) and term.weight}
        self.used = set[str]()
        available = set(loss_inputs)
        raise_faults(*(rules.settings_after_star(name, term.needs, term.given) for name, term in self.terms.items()))
        raise_faults(*(rules.available_inputs(name, term.needs, available) for name, term in self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __call__(self, inputs: LossInputs, images_seen: int = 0) -> dict[str, Tensor]:
        """Return the weighted value of each term that has started after `images_seen` images; their sum is the loss."""
        return {
            name: weight * self._value(name, [inputs[need] for need in self.terms[name].needs])
            for name, weight in self.weights(images_seen).items()
        }

    def weights(self, images_seen: int) -> dict[str, float]:
        """Return the weight of each term that has started after `images_seen` images."""
        weights = {name: term.weight * term.share(images_seen) for name, term in self.terms.items()}
        return {name: weight for name, weight in weights.items() if weight}

    def _value(self, name: str, arguments: Sequence[object]) -> Tensor:
        """Return the value of a term. At its first use, what torch warns of comes after what is wrong with the value."""
        function = self.terms[name].function
        if name in self.used:
            return _scalar(name, function(*arguments))
        with warnings.catch_warnings(record=True) as raised:
            value = _scalar(name, function(*arguments))
        self.used.add(name)
        for each in raised:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        return value


def _scalar(name: str, value: object) -> Tensor:
    """Return the value of a loss. Raises UserError unless it is a tensor without dimensions."""
    if isinstance(value, Tensor) and not value.dim() and value.is_floating_point():
        return value
    what, remedy = _wrong_result(value)
    raise UserError(f"loss.{name} gives {what}, and a loss is one number, a tensor without dimensions: {remedy}.")


def _wrong_result(value: object) -> tuple[str, str]:
    """Return what a loss gives that is none, and what to do about it."""
    if value is None:
        return found(value), "let its function end with return"
    if isinstance(value, Tensor):
        if value.dim():
            return found(value), "take its .mean()"
        kind = str(value.dtype).removeprefix("torch.")
        return (
            f"a tensor of type {kind}",
            "take its .abs()" if value.is_complex() else "compute it in float, without comparing or rounding",
        )
    if isinstance(value, Number):
        return f"{found(value)}, which has no gradient", "return the tensor itself, without .item() or float()"
    if isinstance(value, list | tuple | dict):
        parts = "add them up, or give each a yaml file of its own"
        return found(value), parts if len(value) > 1 else "return what is in it"
    array = hasattr(value, "__array__")
    what = "an array of NumPy's, which has no gradient" if array else found(value)
    return what, "compute it with torch, without .numpy()" if array else "return a tensor"
