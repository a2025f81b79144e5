"""The words `label.KEY=TEXT` of csrgan report, taken as they are: a key may be `system=dan`, and a text holds any characters."""

from __future__ import annotations

from collections.abc import Sequence

from csrgan.config import paths
from csrgan.errors import UserError

PREFIX = "label."


def gathered(words: Sequence[str]) -> list[str]:
    """Return the words of a command with all of its labels as one, `label=[...]`. Hydra would read `=` and `,` in them. Raises
    UserError for labels that the user wrote as one."""
    labels = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX) and "=" in word]
    others = [word for word in words if not (word.startswith(PREFIX) and "=" in word)]
    if written := next((word for word in others if word.startswith("label=") and word != "label=[]"), None):
        raise UserError(f'{written}: each label is a word of its own, label.KEY=TEXT, as in label.system=dan="DAN, ours".')
    return [*others, f"label={paths.listed(labels)}"] if labels else others
