"""An objective: named, weighted loss terms, whose argument names say which loss inputs they need."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.errors import raise_faults
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


def examine(system: object, losses: Mapping[str, object], *, predicts: bool = True, variance: bool = True) -> None:
    """Raise UserError for losses that a system cannot learn from. predicts, variance: see `rules.losses`."""
    kind = rules.SystemFacts.of(type(system).__name__, lambda attribute: getattr(system, attribute, None))
    enabled = {name: term for name, term in losses.items() if isinstance(term, Loss) and term.weight}
    asked = {name: rules.LossRequest(term.needs, term.start, term.against) for name, term in enabled.items()}
    raise_faults(rules.losses(kind, asked, predicts=predicts, variance=variance))


class Term(Recorded):
    """A loss function with its weight. The names of the function's positional arguments are its loss inputs.

    start: images seen before the term starts. ramp: images over which its weight then rises from 0.
    """

    Function = Callable[..., Tensor]
    against: tuple[str, ...] = ()

    def __init__(self, function: Function, weight: NotNegative = 1.0, start: CountOr0 = 0, ramp: CountOr0 = 0) -> None:
        self.function, self.weight, self.start, self.ramp = function, float(weight), start, ramp
        self.needs = needs(function)

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
    """A weighted sum of terms. A term that is None or has weight 0 is dropped and costs nothing; so is a mapping, which remains
    if a file changes a setting of a term that the user switched off.

    loss_inputs: names of the inputs that the system offers. Raises UserError for a term that needs another.
    """

    def __init__(self, terms: Mapping[str, object], loss_inputs: Iterable[str]) -> None:
        self.terms = {name: term for name, term in terms.items() if isinstance(term, Term) and term.weight}
        available = set(loss_inputs)
        raise_faults(*(rules.available_inputs(name, term.needs, available) for name, term in self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __call__(self, inputs: LossInputs, images_seen: int = 0) -> dict[str, Tensor]:
        """Return the weighted value of each term that has started after `images_seen` images; their sum is the loss."""
        weights = {name: term.weight * term.share(images_seen) for name, term in self.terms.items()}
        return {
            name: weights[name] * term.function(*(inputs[need] for need in term.needs))
            for name, term in self.terms.items()
            if weights[name]
        }
