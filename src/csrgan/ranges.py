"""Kinds of numbers as constructors declare them: `width: Count`, `share: Annotated[float, "[0,1)"]`.

An int is whole. The text is the interval: [ and ] hold the end, ( and ) do not, inf is no end. csrgan reads the declaration without
importing the module (see `declared`), to tell a value that cannot be before anything heavy begins; and once more where the object
is constructed, if its class derives from `csrgan.Recorded`.
"""

from __future__ import annotations

from typing import Annotated

Count = Annotated[int, "[1,inf)"]
CountOr0 = Annotated[int, "[0,inf)"]
Depth = Annotated[int, "[1,8]"]  # of levels or stages, at each of which the channels double
Seed = Annotated[int, "[0,4294967295]"]  # as far as NumPy takes one
NotNegative = Annotated[float, "[0,inf)"]
Positive = Annotated[float, "(0,inf)"]
Share = Annotated[float, "[0,1]"]
Within = Annotated[float, "(0,1)"]
