"""The terms' shares of a loss, and whether their gradients agree at the weights that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from csrgan.training import collectives


def compare(parts: Mapping[str, Tensor], weights: Sequence[nn.Parameter]) -> dict[str, Tensor]:
    """Return each term's share of the loss (in absolute values) and of the gradient norms at `weights`, and the cosine of each pair
    of gradients there; a term without a gradient there has no cosine.

    Names: `loss_share/TERM`, `gradient_share/TERM`, `cosine/TERM_TERM`. Keeps the graph for the update that follows. Of several
    processes, the mean loss and the mean gradient count.
    """
    values = collectives.mean(torch.stack([value.detach() for value in parts.values()])).abs()
    magnitude = values.sum().clamp(min=1e-30)
    stats = {f"loss_share/{name}": value / magnitude for name, value in zip(parts, values, strict=True)}
    gradients = {name: _flat(value, weights) for name, value in parts.items()}
    norms = {name: gradient.norm() for name, gradient in gradients.items()}
    total = torch.stack(list(norms.values())).sum().clamp(min=1e-30)
    stats |= {f"gradient_share/{name}": norm / total for name, norm in norms.items()}
    for one, other in combinations(gradients, 2):
        if norms[one] > 0 and norms[other] > 0:
            stats[f"cosine/{one}_{other}"] = (gradients[one] @ gradients[other]) / (norms[one] * norms[other])
    return stats


def _flat(value: Tensor, weights: Sequence[nn.Parameter]) -> Tensor:
    """Return the gradient of a term at `weights` as one vector."""
    gradients = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
    pairs = zip(gradients, weights, strict=True)
    return collectives.mean(torch.cat([(torch.zeros_like(w) if g is None else g).flatten().float() for g, w in pairs]))
