"""Losses that are not finite: which terms, and which pictures of the batch cause it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from csrgan.losses.objective import LossInputs, Term

HUGE = 1e6  # pictures and parameters in network units lie near [0,1]


class NonFinite(Exception):
    """The loss or gradient of a network is not finite; its weights are unchanged.

    network: its name. terms: those that are not finite, or `gradient` where only that is not. samples: indices in the batch of the
    pictures that cause it; none where no single one does. spoiled: loss inputs of these terms that are not finite, or huge.
    """

    def __init__(self, network: str, terms: Sequence[str], samples: Sequence[int], spoiled: Sequence[str] = ()) -> None:
        super().__init__(f"{network}: {', '.join(terms)}")
        self.network, self.terms, self.samples, self.spoiled = network, list(terms), list(samples), list(spoiled)


def remedy(precision: str) -> str:
    """Say what helps where a loss is not finite from the start. precision: of the training, as Lightning names it."""
    half = "" if precision == "32-true" else ", or take trainer.precision=32-true"
    return f"lower the learning rates in optimizer or the weight of that loss{half}"


def spoiled(needs: Iterable[str], inputs: LossInputs) -> list[str]:
    """Return the names of those loss inputs that are not finite, or so large that a sound loss of them may not be."""
    tensors = {need: inputs[need] for need in dict.fromkeys(needs)}
    return [need for need, value in tensors.items() if isinstance(value, Tensor) and not bool((value.detach().abs() < HUGE).all())]


def of_itself(name: str, value: str = "", *, gradient: bool = False) -> str:
    """Say of a loss that the fault is its own, where all that it measures is finite. value: what it gives. gradient: whether only
    its gradient is not finite."""
    if gradient:
        look = "look in its function for a root, a norm or a power at 0, and add a small number there"
        return f"the gradient of loss.{name} is not finite at its first use, though its value and its inputs are: {look}."
    look = "look in its function for a division by 0, and for a root or logarithm of 0 or less"
    gives = f"gives {value}" if value else "is not finite"
    return f"loss.{name} {gives} at its first use, though its inputs are finite: {look}."


def culprits(terms: Mapping[str, Term], inputs: LossInputs) -> list[int]:
    """Return the indices in the batch whose inputs are not finite; else those for which a term alone is not finite."""
    tensors = {name: value.detach() for name, value in inputs.computed() if isinstance(value, Tensor) and value.dim()}
    return nonfinite_rows(*tensors.values()) or _nonfinite_terms(terms, tensors)


def nonfinite_rows(*tensors: Tensor) -> list[int]:
    """Return the indices in the batch at which one of these is not finite."""
    indices: set[int] = set()
    for tensor in tensors:
        indices |= set((~torch.isfinite(tensor)).flatten(1).any(1).nonzero().flatten().tolist()) if tensor.dim() > 1 else set()
    return sorted(indices)


def _nonfinite_terms(terms: Mapping[str, Term], tensors: Mapping[str, Tensor]) -> list[int]:
    """Return the indices in the batch for which a term is not finite when it is computed for each picture by itself."""
    indices: set[int] = set()
    for term in terms.values():
        if not all(need in tensors for need in term.needs):
            continue
        for index in range(min((len(tensors[need]) for need in term.needs), default=0)):
            with torch.no_grad():
                value = term.function(*(tensors[need][index : index + 1] for need in term.needs))
            indices |= set() if torch.isfinite(value) else {index}
    return sorted(indices)
