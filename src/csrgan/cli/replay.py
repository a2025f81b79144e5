"""csrgan replay: a batch from which nothing could be learned, met again by the weights that met it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.table import Table
from torch import Tensor, nn

from csrgan.api.loading import whole
from csrgan.config.described import build_described
from csrgan.console import Console, quiet
from csrgan.errors import UserError
from csrgan.losses.objective import LossInputs
from csrgan.training import fit_batches
from csrgan.training.replay import read
from csrgan.training.system import System


def run(config: DictConfig) -> int:
    """Take the step again and print what it was shown, each term, and the first layer whose output is not finite."""
    quiet()
    batch, held = read(Path(config.file))
    system = _system(held, f"file={config.file}")
    seen = _Seen(system)
    fit_batches.fit(system, [batch])
    console, refused = Console(), held["refused"]
    whose = ", ".join(f"{place} ({batch.names[place]})" for place in refused["samples"]) or "no single one"
    sentence = f"{refused['player']}: {' and '.join(refused['terms'])} not finite; samples of the batch: {whose}"
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    console.print(_table("what was shown", {"H": batch.sharp, "L": batch.low, "theta": batch.parameters.stack(), **seen.shown}))
    console.print(_table("terms, weighted", seen.parts))
    first = seen.first or "no layer: every output is finite"
    console.print(f"first layer with an output that is not finite: {first}", highlight=False, markup=False, soft_wrap=True)
    again = "as it was" if system.state.nonfinite and system.state.nonfinite.terms == refused["terms"] else "finite on this machine"
    console.print(f"met again, it is {again}", highlight=False)
    return 0


def _system(held: Mapping[str, Any], origin: str) -> System:
    """The system that met the batch, with its weights. Raises UserError for what a file may not describe, or does not hold."""
    system = build_described(held["recipe"], "system", System, f"{origin}: recipe", held["state_dict"])
    try:
        system.load_state_dict(held["state_dict"])
        state = system.state
        state.images_seen, state.batches_seen, state.skip_nonfinite = whole(held["images_seen"]), 1, True
    except (AttributeError, RuntimeError, TypeError) as reason:
        raise UserError(f"{origin} does not fit the network that it describes ({type(reason).__name__}).") from reason
    system.recipe = held["recipe"]
    return system


class _Seen:
    """What a step was shown and gave, and where it first was not finite."""

    def __init__(self, system: System) -> None:
        self.shown: dict[str, Tensor] = {}
        self.parts: dict[str, Tensor] = {}
        self.first = ""
        system.state.on_update = self.update
        for name, network in system.networks().items():
            for inner, layer in network.named_modules():
                if not list(layer.children()):
                    layer.register_forward_hook(self.hook(f"{name}.{inner} ({type(layer).__name__})"))

    def update(self, network: str, parts: Mapping[str, Tensor], evidence: LossInputs) -> None:
        self.shown |= {name: value.detach() for name, value in evidence.computed() if isinstance(value, Tensor)}
        self.parts |= {f"{network}/{name}": value.detach() for name, value in parts.items()}

    def hook(self, name: str) -> Any:
        def look(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if not self.first and isinstance(output, Tensor) and not _finite(output):
                met = [value for value in inputs if isinstance(value, Tensor)]
                weights = all(_finite(weight) for weight in layer.parameters())
                whose = "its weights are not finite" if not weights else "its input is finite" if all(map(_finite, met)) else ""
                self.first = f"{name}; {whose or 'its input is not finite'}"

        return look


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _table(title: str, tensors: Mapping[str, Tensor]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("", "shape", "least", "greatest", "not finite"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, tensor in tensors.items():
        finite = tensor[torch.isfinite(tensor)]
        ends = [f"{float(end):.3g}" for end in (finite.min(), finite.max())] if finite.numel() else ["-", "-"]
        table.add_row(name, "x".join(map(str, tensor.shape)) or "1", *ends, f"{tensor.numel() - finite.numel()}")
    return table
