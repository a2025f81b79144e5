"""How the terms of a loss share it, and whether their gradients agree where all of them meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn


def compare(parts: Mapping[str, Tensor], weights: Sequence[nn.Parameter]) -> dict[str, Tensor]:
    """For every term its share of the loss (of absolute values) and of the gradient norms at `weights`, and the cosine between
    each two gradients there; a term without a gradient there has no cosine.

    Names: `loss_share/TERM`, `gradient_share/TERM`, `cosine/TERM_TERM`. The graph is kept for the update that follows.
    """
    magnitude = torch.stack([value.detach().abs() for value in parts.values()]).sum().clamp(min=1e-30)
    found = {f"loss_share/{name}": value.detach().abs() / magnitude for name, value in parts.items()}
    gradients = {name: _flat(value, weights) for name, value in parts.items()}
    norms = {name: gradient.norm() for name, gradient in gradients.items()}
    total = torch.stack(list(norms.values())).sum().clamp(min=1e-30)
    found |= {f"gradient_share/{name}": norm / total for name, norm in norms.items()}
    for one, other in combinations(gradients, 2):
        if norms[one] > 0 and norms[other] > 0:
            found[f"cosine/{one}_{other}"] = (gradients[one] @ gradients[other]) / (norms[one] * norms[other])
    return found


def _flat(value: Tensor, weights: Sequence[nn.Parameter]) -> Tensor:
    found = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
    pairs = zip(found, weights, strict=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten().float() for g, w in pairs])
