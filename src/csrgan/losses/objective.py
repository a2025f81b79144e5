"""An objective: named, weighted loss terms that ask for the evidence they need by their argument names."""

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
    """A loss of a system, see `Term` and `losses.adversarial.Adversarial`. against: evidence that its other side asks for."""

    weight: float
    start: int
    needs: tuple[str, ...]
    against: tuple[str, ...]


def needs(function: Callable[..., object]) -> tuple[str, ...]:
    """The names of the evidence that a loss function asks for. `declared.requested_inputs` reads the same from its source."""
    plain = function.func if isinstance(function, partial) else function
    kinds = inspect.signature(plain).parameters.values()
    return tuple(p.name for p in kinds if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD)


def examine(system: object, losses: Mapping[str, object], *, predicts: bool = True, variance: bool = True) -> None:
    """Raise UserError for losses that a system cannot learn from. predicts, variance: see `rules.losses`."""
    kind = rules.SystemFacts.of(type(system).__name__, lambda said: getattr(system, said, None))
    on = {name: term for name, term in losses.items() if isinstance(term, Loss) and term.weight}
    asked = {name: rules.LossRequest(term.needs, term.start, term.against) for name, term in on.items()}
    raise_faults(rules.losses(kind, asked, predicts=predicts, variance=variance))


class Term(Recorded):
    """A loss function with its weight. What the function measures are its positional arguments, their names the evidence.

    start: images seen before the term enters. ramp: images over which its weight then rises from 0.
    """

    Function = Callable[..., Tensor]
    against: tuple[str, ...] = ()

    def __init__(self, function: Function, weight: NotNegative = 1.0, start: CountOr0 = 0, ramp: CountOr0 = 0) -> None:
        self.function, self.weight, self.start, self.ramp = function, float(weight), start, ramp
        self.needs = needs(function)

    def share(self, images_seen: int) -> float:
        """Share of the weight after so many images; while it is 0, the term is left out."""
        if images_seen < self.start:
            return 0.0
        return min(1.0, (images_seen - self.start + 1) / (self.ramp + 1))


class LossInputs(Mapping[str, object]):
    """What a system can show to its loss terms; computed when first asked for, and only then."""

    def __init__(self, **makers: object) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> object:
        made = self._makers[name]
        if callable(made):
            made = self._makers[name] = made()
        return made

    def computed(self) -> Iterator[tuple[str, object]]:
        """What has been computed so far."""
        return ((name, value) for name, value in self._makers.items() if not callable(value))

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class Objective:
    """The weighted sum of its terms. A term that is None or weighs 0 is left out: it costs nothing. So is the mapping that is
    left where a file sets something of a term that the user switched off.

    offers: names of the evidence that the system shows; a term that needs another raises UserError.
    """

    def __init__(self, terms: Mapping[str, object], loss_inputs: Iterable[str]) -> None:
        self.terms = {name: term for name, term in terms.items() if isinstance(term, Term) and term.weight}
        offered = set(loss_inputs)
        raise_faults(*(rules.available_inputs(name, term.needs, offered) for name, term in self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __call__(self, evidence: LossInputs, images_seen: int = 0) -> dict[str, Tensor]:
        """Each term's weighted value after so many images; their sum is the loss. A term that has not entered yet is left out."""
        weights = {name: term.weight * term.share(images_seen) for name, term in self.terms.items()}
        return {
            name: weights[name] * term.function(*(evidence[need] for need in term.needs))
            for name, term in self.terms.items()
            if weights[name]
        }
