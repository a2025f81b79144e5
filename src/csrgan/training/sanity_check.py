"""A check of the first batch before a long run: which weights each loss term reaches, its inputs, and a forecast of memory."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from csrgan.data.crops import CropBatch
from csrgan.errors import UserError, require
from csrgan.losses.objective import LossInputs
from csrgan.randomness import forked
from csrgan.training import fit_batches
from csrgan.training.network_updater import NetworkUpdater
from csrgan.training.nonfinite import of_itself, remedy
from csrgan.training.system import System


@dataclass(frozen=True)
class Term:
    """A loss term of a network when it was first computed.

    start: images seen when it starts; None: later, when its system decides. value: weighted. reached: how many of the
    network's weights, counted as numbers, lie in tensors that it is a function of. weights: all of them.
    """

    network: str
    name: str
    start: int | None
    value: float
    reached: int
    weights: int


@dataclass
class SanityCheck:
    """The findings on the first batch.

    shown: shape, least and greatest value of each loss input. unreached: by network, the weights that no term is a function of.
    bytes_needed: forecast for the run, without the temporary memory of a layer. bytes_free: None where it is unknown.
    """

    terms: list[Term] = field(default_factory=list)
    shown: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    unreached: dict[str, list[str]] = field(default_factory=dict)
    bytes_needed: int = 0
    bytes_free: int | None = None


def examine(
    system: System, samples: CropBatch, transfer: fit_batches.Transfer, *, count: int, images: int, batch_size: int, **settings: Any
) -> SanityCheck:
    """Take two steps on `count` samples, at the beginning and at the end of a training of `images` images.

    Leaves the system unchanged. settings: of Lightning's Trainer. Raises UserError for a term that is not finite, that reaches no
    weight of its network, or that leaves a gradient at another network's weights.
    """
    before = copy.deepcopy(system.state_dict())
    recorder = _Recorder(system, images, known=samples.parameters.knows())
    state, skipping = system.state, system.state.skip_nonfinite
    state.skip_nonfinite = True  # so that the recorder tells of it
    with forked(system.device):
        fit_batches.fit(system, [samples, samples], recorder, transfer=transfer, **settings)
    system.load_state_dict(before)
    state.skip_nonfinite = skipping
    state.images_seen = state.batches_seen = 0
    state.recorded, state.on_update = {}, lambda *_: None
    for network in system.networks().values():
        network.zero_grad()
    result = recorder.result
    result.unreached = recorder.unreached()
    weights = sum(_bytes(tensor) for tensor in system.state_dict().values())
    gradients = sum(_bytes(weight) for network in system.networks().values() for weight in network.parameters())
    result.bytes_needed = weights + gradients + recorder.optimizer_bytes + recorder.activations.peak * batch_size // count
    result.bytes_free = _free_bytes(system.device)
    return result


class _Recorder(Callback):
    """Records the updates of two steps. known: whether the degradation of every sample is."""

    def __init__(self, system: System, images: int, *, known: bool) -> None:
        self.system, self.moments, self.known = system, (0, images - 1), known
        self.result, self.activations, self.optimizer_bytes = SanityCheck(), _SavedTensors(system), 0

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int) -> None:
        self.system.state.images_seen = self.moments[batch_idx]
        self.system.state.on_update = self.update
        self.hooks = ExitStack()
        self.hooks.enter_context(saved_tensors_hooks(self.activations.pack, self.activations.unpack))

    def update(self, network: str, parts: Mapping[str, Tensor], inputs: LossInputs) -> None:
        recorded = {(term.network, term.name) for term in self.result.terms}
        updater = self.system.updaters[network]
        for name, value in parts.items():
            if (network, name) not in recorded:
                setting = updater.objective.terms[name].start
                start = setting if setting or self.system.images_seen == self.moments[0] else None
                weights = sum(weight.numel() for weight in updater.weights)
                self.result.terms.append(Term(network, name, start, float(value.detach()), 0, weights))
        for name, tensor in inputs.computed():
            if isinstance(tensor, Tensor) and tensor.dim() > 1 and tensor.numel():
                least, greatest = tensor.detach().aminmax()
                self.result.shown[name] = ("x".join(map(str, tensor.shape)), float(least), float(greatest))

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        self.hooks.close()
        system = self.system
        if reason := system.state.nonfinite:
            if "gradient" not in reason.terms and not reason.spoiled:
                raise UserError(*map(of_itself, reason.terms))
            terms = f"{' and '.join(reason.terms)} of the {reason.network}"
            unknown = "perhaps it needs the true degradation, which data.train does not give for every pair; else "
            hint = f"{'' if self.known else unknown}{remedy(trainer.precision)}"
            raise UserError(f"the check of the first batch: {terms} is not finite: {hint}.")
        self.result.terms = [_with_reached(term, system.updaters[term.network]) for term in self.result.terms]
        values = [value for optimizer in trainer.optimizers for state in optimizer.state.values() for value in state.values()]
        self.optimizer_bytes = sum(_bytes(value) for value in values if isinstance(value, Tensor))
        if system.state.rule.accumulate > 1:
            return  # gradients wait for the next batch
        for name, network in system.networks().items():
            remaining = any(weight.grad is not None and bool(weight.grad.any()) for weight in network.parameters())
            require(not remaining, f"a loss of another network leaves a gradient at the {name}'s weights.")

    def unreached(self) -> dict[str, list[str]]:
        """The names of the weights that no term is a function of, by network."""
        unreached = {}
        for name, updater in self.system.updaters.items():
            reached = set().union(*updater.reached.values())
            trained = [(inner, weight) for inner, weight in updater.network.named_parameters() if weight.requires_grad]
            if weights := [inner for inner, weight in trained if id(weight) not in reached]:
                unreached[name] = weights
        return unreached


def _with_reached(term: Term, updater: NetworkUpdater) -> Term:
    reached = updater.reached[term.name]
    return replace(term, reached=sum(weight.numel() for weight in updater.weights if id(weight) in reached))


class _SavedTensors:
    """Counts the bytes that autograd keeps for the backward pass, without the weights. live: now. peak: at most."""

    def __init__(self, system: System) -> None:
        self.weights = {weight.untyped_storage().data_ptr() for weight in system.parameters()}
        self.references: dict[int, int] = {}
        self.live = self.peak = 0

    def pack(self, tensor: Tensor) -> _SavedTensor:
        saved, storage = _SavedTensor(tensor), tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        if address not in self.weights:
            self.references[address] = self.references.get(address, 0) + 1
            self.live += size if self.references[address] == 1 else 0
            self.peak = max(self.peak, self.live)
            weakref.finalize(saved, self._release, address, size)
        return saved

    def _release(self, address: int, size: int) -> None:
        self.references[address] -= 1
        self.live -= size if not self.references[address] else 0

    @staticmethod
    def unpack(saved: _SavedTensor) -> Tensor:
        return saved.tensor


class _SavedTensor:
    """A tensor in an object whose end can be observed."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _free_bytes(device: torch.device) -> int | None:
    """Return the free memory of the device in bytes; None where it is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    file = Path("/proc/meminfo")
    lines = file.read_text(encoding="ascii").split("\n") if file.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
