"""A metric: a function of pictures, with how to show its values."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.arguments import Recorded
from csrgan.errors import UserError, found, raise_faults
from csrgan.ranges import CountOr0

Picture = Float[Tensor, "b c h w"]
One = Float[Tensor, "1 c h w"]
TEXTS = ("heading", "short", "unit")  # settings
EVIDENCE = ("image", "sharp", "low", "border", "luma_bits")


def setting_faults(node: Mapping[str, object], place: str) -> Iterator[str]:
    """Yield a sentence for each setting of a metric that is of another type than `Metric` says. place: what holds the settings."""
    for key in (key for key in TEXTS if not isinstance(node.get(key, ""), str)):
        yield f"{place}.{key}={node[key]} is not a text: write it in quotes, as in {key}: '{node[key]}'."
    best = node.get("best", math.inf)
    if isinstance(best, bool) or not isinstance(best, int | float):
        yield (
            f"{place}.best={best} is not a number: it is the best value, .inf if higher is better, -.inf if lower is, .nan if"
            " neither is by itself."
        )


def input_faults(names: Sequence[str], place: str) -> Iterator[str]:
    """Yield a sentence for each argument of a metric's function, before the star, that no metric gets. place: of the metric."""
    for unknown in (name for name in names if name not in EVIDENCE):
        near = get_close_matches(unknown, EVIDENCE, n=1, cutoff=0.6)
        yield (
            f"{place}: its function asks for {unknown}, which no metric gets: it may ask for"
            f" {', '.join(EVIDENCE)}, and its settings follow a star.{f' Did you mean {near[0]}?' if near else ''}"
        )


class Metric(Recorded):
    """A score of a picture; rows, tables, the page of a sweep and the dashboard show it for L and for S.

    function: returns a number. Its arguments name what it needs, and its settings follow a star: `image` and `sharp`, (1, 3, h, w)
    in [0,1]; `low`, L enlarged to their size; `border`, the px a side that the field's convention cuts off, which is the scale;
    `luma_bits`, to which Y is rounded, None for not at all.
    heading: in the tables of a run. short: on the page of a sweep; empty: the heading. unit: of the number; empty: none.
    digits: after the point. best: the best value; .inf if higher is better, -.inf if lower is, .nan if neither is by itself.
    Raises UserError for a function with any other argument, and at a call for one that returns no number.
    """

    name = ""  # under which it is registered
    together = False  # whether L and S are scored in one call, to share a part of the work

    def __init__(
        self,
        function: Callable[..., float],
        *,
        heading: str,
        short: str = "",
        unit: str = "",
        digits: CountOr0 = 3,
        best: float = math.inf,
    ) -> None:
        raise_faults(setting_faults({"heading": heading, "short": short, "unit": unit, "best": best}, "metric"))
        self.function, self.heading, self.short, self.unit = function, heading, short or heading, unit
        self.digits, self.best = digits, float(best)
        plain = function.func if isinstance(function, partial) else function
        arguments = inspect.signature(plain).parameters.values()
        self.needs = tuple(each.name for each in arguments if each.kind is each.POSITIONAL_OR_KEYWORD)
        raise_faults(input_faults(self.needs, f"metric {heading}"))

    def __call__(self, **evidence: object) -> float:
        """Return the score of one picture."""
        value: Any = self.function(*(evidence[name] for name in self.needs))
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError) as reason:  # RuntimeError: torch, of tensors with several elements
            place = f"metric.{self.name}" if self.name else f"metric {self.heading}"
            raise UserError(f"{place} gives {found(value)}, and a metric is one number: {_remedy(value)}.") from reason

    def each(self, images: Sequence[Picture], **evidence: object) -> list[float]:
        """Return the scores of several pictures with the same sharp one; empty if the metric is not available."""
        return [self(image=image, **evidence) for image in images]


def _remedy(value: object) -> str:
    if value is None:
        return "let its function end with return"
    if isinstance(value, list | tuple | dict):
        return "give each number a function and a yaml file of its own" if len(value) > 1 else "return what is in it"
    return "take its .mean()" if hasattr(value, "mean") else "return a float"


class FeatureMetric(Metric):
    """Scores several pictures together, to compute the features of the sharp one once.

    scores: return one for each picture, or none if the metric is not available. shown: see `Metric`.
    """

    together = True

    def __init__(self, scores: Callable[[Picture, One], list[float]], **shown: Any) -> None:
        def first(image: Picture, sharp: One) -> float:
            return (scores(image, sharp) or [math.nan])[0]

        super().__init__(first, **shown)
        self.scores = scores

    def each(self, images: Sequence[Picture], **evidence: object) -> list[float]:
        sharp = evidence["sharp"]
        assert isinstance(sharp, Tensor)
        return self.scores(torch.cat(list(images)), sharp)
