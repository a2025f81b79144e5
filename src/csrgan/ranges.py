"""Ranges of numbers as constructors declare them: `width: Count`, `share: Annotated[float, "[0,1)"]`.

An int is a whole number. The text is the interval: [ and ] include the end, ( and ) exclude it, inf means no end. csrgan reads the
declaration without importing the module (see `declared`), and reports an impossible value before anything heavy starts. A class
that derives from `csrgan.Recorded` checks the value again when it is constructed.
"""

from __future__ import annotations

from typing import Annotated

Count = Annotated[int, "[1,inf)"]
CountOr0 = Annotated[int, "[0,inf)"]
Depth = Annotated[int, "[1,8]"]  # number of levels or stages; each doubles the channels
Seed = Annotated[int, "[0,4294967295]"]  # the largest that NumPy takes
NotNegative = Annotated[float, "[0,inf)"]
Number = Annotated[float, "(-inf,inf)"]
Positive = Annotated[float, "(0,inf)"]
Share = Annotated[float, "[0,1]"]
HalfTurn = Annotated[float, "[0,180]"]  # degrees
Within = Annotated[float, "(0,1)"]
