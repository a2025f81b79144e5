"""csrgan replay: repeat the training step on a batch that a run skipped as not finite, with the weights of that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.table import Table
from torch import Tensor, nn

from csrgan.api.loading import natural_number
from csrgan.config.described import build_described
from csrgan.console import Console, quiet
from csrgan.errors import UserError
from csrgan.losses.objective import LossInputs
from csrgan.training import fit_batches
from csrgan.training.replay import read
from csrgan.training.system import System
from csrgan.tree import Settings


def run(config: DictConfig) -> int:
    """Repeat the step and print its inputs, each loss term, and the first layer whose output is not finite."""
    quiet()
    batch, record = read(Path(config.file))
    system = _system(record, f"file={config.file}")
    probe = _Probe(system)
    fit_batches.fit(system, [batch])
    console, refused = Console(), record["refused"]
    samples = ", ".join(f"{place} ({batch.names[place]})" for place in refused["samples"]) or "no single one"
    sentence = f"{refused['player']}: {' and '.join(refused['terms'])} not finite; samples of the batch: {samples}"
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    console.print(_table("inputs", {"H": batch.sharp, "L": batch.low, "theta": batch.parameters.stack(), **probe.inputs}))
    console.print(_table("weighted loss terms", probe.terms))
    first = probe.first or "no layer: every output is finite"
    console.print(f"first layer with an output that is not finite: {first}", highlight=False, markup=False, soft_wrap=True)
    same = system.state.nonfinite and system.state.nonfinite.terms == refused["terms"]
    sentence = "the repeated step is not finite in the same terms" if same else "the repeated step is finite on this machine"
    console.print(sentence, highlight=False)
    return 0


def _system(record: Settings, origin: str) -> System:
    """Rebuild the system that met the batch, with its weights. Raises UserError for what a file may not describe or lacks."""
    system = build_described(record["recipe"], "system", System, f"{origin}: recipe", record["state_dict"])
    try:
        system.load_state_dict(record["state_dict"])
        state = system.state
        state.images_seen, state.batches_seen, state.skip_nonfinite = natural_number(record["images_seen"]), 1, True
    except (AttributeError, RuntimeError, TypeError) as reason:
        raise UserError(f"{origin} does not fit the network that it describes ({type(reason).__name__}).") from reason
    system.recipe = record["recipe"]
    return system


class _Probe:
    """Records the inputs and loss terms of a step, and the first layer whose output is not finite."""

    def __init__(self, system: System) -> None:
        self.inputs: dict[str, Tensor] = {}
        self.terms: dict[str, Tensor] = {}
        self.first = ""
        system.state.on_update = self.update
        for name, network in system.networks().items():
            for inner, layer in network.named_modules():
                if not list(layer.children()):
                    layer.register_forward_hook(self.hook(f"{name}.{inner} ({type(layer).__name__})"))

    def update(self, network: str, parts: Mapping[str, Tensor], evidence: LossInputs) -> None:
        self.inputs |= {name: value.detach() for name, value in evidence.computed() if isinstance(value, Tensor)}
        self.terms |= {f"{network}/{name}": value.detach() for name, value in parts.items()}

    def hook(self, name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        def inspect(layer: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            if not self.first and isinstance(output, Tensor) and not _finite(output):
                tensors = [value for value in inputs if isinstance(value, Tensor)]
                finite_weights = all(_finite(weight) for weight in layer.parameters())
                cause = f"its input is {'' if all(map(_finite, tensors)) else 'not '}finite"
                self.first = f"{name}; {cause if finite_weights else 'its weights are not finite'}"

        return inspect


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _table(title: str, tensors: Mapping[str, Tensor]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("", "shape", "min", "max", "not finite"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, tensor in tensors.items():
        finite = tensor[torch.isfinite(tensor)]
        ends = [f"{float(end):.3g}" for end in (finite.min(), finite.max())] if finite.numel() else ["-", "-"]
        table.add_row(name, "x".join(map(str, tensor.shape)) or "1", *ends, f"{tensor.numel() - finite.numel()}")
    return table
