"""What a test has measured, said at the end of the tests."""

from __future__ import annotations

TOLD: list[str] = []


def tell(line: str) -> None:
    TOLD.append(line)
