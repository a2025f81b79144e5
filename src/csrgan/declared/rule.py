"""What a value of a setting must be."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import cast

from csrgan.errors import UserError


@dataclass(frozen=True)
class Rule:
    """What a value must be.

    kind: int or float, the type of the numbers in `interval`; empty if it is not a number. choices: texts that it may be. none:
    whether it may be None. inside: the rule for each key of a mapping; "*" stands for any key. length: of a list of such values.
    """

    kind: str = ""
    interval: str = ""
    choices: tuple[str, ...] = ()
    none: bool = False
    inside: Mapping[str, Rule] = field(default_factory=dict)
    length: int | None = None

    def __bool__(self) -> bool:
        return bool(self.interval or self.choices or self.inside)

    def faults(self, place: str, value: object) -> Iterator[str]:
        """Yield a sentence for each fault of the value at `place`."""
        if isinstance(value, Mapping):
            for key, member in value.items():
                if rule := self.inside.get(str(key)) or self.inside.get("*"):
                    yield from rule.faults(f"{place}.{key}", member)
            return
        members = value if isinstance(value, list | tuple) else [value]
        if self.length is not None and len(members) != self.length:
            yield f"{place}={value} must be {self.length} numbers."
        for member in members:
            shown = f"{place}={value}: {member}" if members is value else f"{place}={'null' if value is None else value}"
            if member is None and self.none:
                continue
            if self.interval:
                yield from (f"{shown} {fault}." for fault in self._number_faults(member))
            if self.choices and isinstance(member, str | int | float) and member not in self.choices:
                yield str(UserError.unknown(place, str(member), self.choices))

    def _number_faults(self, value: object) -> Iterator[str]:
        """Yield what is wrong with a value that should be a number in the interval."""
        low, high = (float(end) for end in self.interval[1:-1].split(","))
        number = cast(float, value)  # or a NumPy number or a Fraction, which compare like a float
        if isinstance(value, bool) or not isinstance(value, Real) or (isinstance(value, float) and math.isnan(value)):
            yield "is not a number"
        elif abs(number) > sys.float_info.max:
            yield "is not finite"
        elif self.kind == "int" and not isinstance(value, Integral):
            yield f"is not a whole number{f': write {int(number)}' if float(number).is_integer() else ''}"
        elif low < number < high or (number == low and self.interval[0] == "[") or (number == high and self.interval[-1] == "]"):
            return
        elif high < math.inf:
            yield f"is not in {self.interval}"
        else:
            yield f"is not above {low:g}" if self.interval[0] == "(" else f"is below {low:g}, the least that it can be"
