"""The words `label.KEY=TEXT` of csrgan report, taken as they are: a key may be `system=dan`, and a text holds any characters."""

from __future__ import annotations

from collections.abc import Sequence

from csrgan.config import paths

PREFIX = "label."


def gathered(words: Sequence[str]) -> list[str]:
    """Return the words of a command with all of its labels as one, `label=[...]`. Hydra would read `=` and `,` in them."""
    labels = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX) and "=" in word]
    others = [word for word in words if not (word.startswith(PREFIX) and "=" in word)]
    return [*others, f"label={paths.listed(labels)}"] if labels else others
