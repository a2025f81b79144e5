"""A metric: a function of pictures, with how to show its values."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.arguments import Recorded
from csrgan.errors import UserError
from csrgan.ranges import CountOr0

Picture = Float[Tensor, "b c h w"]
One = Float[Tensor, "1 c h w"]
EVIDENCE = ("image", "sharp", "low", "border", "luma_bits")


class Metric(Recorded):
    """A score of a picture; rows, tables, the page of a sweep and the dashboard show it for L and for S.

    function: returns a number. Its arguments name what it needs, and its settings follow a star: `image` and `sharp`, (1, 3, h, w)
    in [0,1]; `low`, L enlarged to their size; `border`, the px a side that the field's convention cuts off, which is the scale;
    `luma_bits`, to which Y is rounded, None for not at all.
    heading: in the tables of a run. short: on the page of a sweep; empty: the heading. unit: of the number; empty: none.
    digits: after the point. best: the best value; .inf if higher is better, -.inf if lower is, .nan if neither is by itself.
    Raises UserError for a function with any other argument.
    """

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
        self.function, self.heading, self.short, self.unit = function, heading, short or heading, unit
        self.digits, self.best = digits, best
        plain = function.func if isinstance(function, partial) else function
        arguments = inspect.signature(plain).parameters.values()
        self.needs = tuple(each.name for each in arguments if each.kind is each.POSITIONAL_OR_KEYWORD)
        for unknown in set(self.needs) - set(EVIDENCE):
            raise UserError.unknown(f"metric {heading}: its function", unknown, EVIDENCE)

    def __call__(self, **evidence: object) -> float:
        """Return the score of one picture."""
        return float(self.function(*(evidence[name] for name in self.needs)))

    def each(self, images: Sequence[Picture], **evidence: object) -> list[float]:
        """Return the scores of several pictures with the same sharp one; empty if the metric is not available."""
        return [self(image=image, **evidence) for image in images]


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
