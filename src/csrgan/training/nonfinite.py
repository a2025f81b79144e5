"""Values that are no numbers: which term, and which pictures of the batch made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from csrgan.losses.objective import LossInputs, Term


class NonFinite(Exception):
    """A player's loss or gradient is not finite; its weights are what they were before.

    player: its name. terms: those that are not finite, or `gradient` where only that is not. samples: places in the batch of the
    pictures that made it so; none where no single one did.
    """

    def __init__(self, player: str, terms: Sequence[str], samples: Sequence[int]) -> None:
        super().__init__(f"{player}: {', '.join(terms)}")
        self.player, self.terms, self.samples = player, list(terms), list(samples)


def culprits(terms: Mapping[str, Term], evidence: LossInputs) -> list[int]:
    """Places in the batch whose evidence is not finite; else those for which a term is not when it is shown them alone."""
    shown = {name: value.detach() for name, value in evidence.computed() if isinstance(value, Tensor) and value.dim()}
    return rows(*shown.values()) or _alone(terms, shown)


def rows(*tensors: Tensor) -> list[int]:
    """Places in the batch at which one of these is not finite."""
    found: set[int] = set()
    for tensor in tensors:
        found |= set((~torch.isfinite(tensor)).flatten(1).any(1).nonzero().flatten().tolist()) if tensor.dim() > 1 else set()
    return sorted(found)


def _alone(terms: Mapping[str, Term], shown: Mapping[str, Tensor]) -> list[int]:
    found: set[int] = set()
    for term in terms.values():
        if not all(need in shown for need in term.needs):
            continue
        for index in range(min((len(shown[need]) for need in term.needs), default=0)):
            with torch.no_grad():
                value: Any = term.function(*(shown[need][index : index + 1] for need in term.needs))
            found |= set() if torch.isfinite(value) else {index}
    return sorted(found)
