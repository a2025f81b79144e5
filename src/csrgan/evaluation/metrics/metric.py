"""What a metric is: a function of pictures, and how its values are told."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor

from csrgan.arguments import Recorded
from csrgan.errors import UserError
from csrgan.ranges import CountOr0

Picture = Float[Tensor, "b c h w"]
EVIDENCE = ("image", "sharp", "low", "border")


class Metric(Recorded):
    """A score of a picture, which rows, tables, the page of a sweep and the dashboard tell of L and of S.

    function: gives a number of what its arguments name, with settings after a star: `image` and `sharp`, (1, 3, h, w) in [0,1];
    `low`, L enlarged to their size; `border`, the px that the field's convention cuts off, which is the scale.
    heading: in the tables of a run. short: on the page of a sweep; empty: the heading. unit. digits: after the point.
    best: the value that is best; .inf where higher is better, -.inf where lower is, .nan where neither is by itself.
    Raises UserError for a function that asks for anything else.
    """

    together = False  # whether L and S are scored at once, because a part of the work is the same

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
        kinds = inspect.signature(plain).parameters.values()
        self.needs = tuple(each.name for each in kinds if each.kind is each.POSITIONAL_OR_KEYWORD)
        for unknown in set(self.needs) - set(EVIDENCE):
            raise UserError.unknown(f"metric {heading}: its function", unknown, EVIDENCE)

    def __call__(self, **evidence: object) -> float:
        """The score of one picture."""
        return float(self.function(*(evidence[name] for name in self.needs)))

    def each(self, images: Sequence[Picture], **evidence: object) -> list[float]:
        """Of several pictures with the same sharp one; empty where it cannot be told here."""
        return [self(image=image, **evidence) for image in images]
