"""The first batch, looked at before the long run: what each term reaches, what is shown, and what memory the run will need."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from csrgan.errors import require
from csrgan.losses.objective import LossInputs
from csrgan.training import fit_batches
from csrgan.training.system import System


@dataclass(frozen=True)
class Term:
    """A loss term of a player when it was first met. start: images seen when it enters; None: some time later, as its system has
    it. value: weighted. reached: weights that it is a function of, of so many that the player has."""

    player: str
    name: str
    start: int | None
    value: float
    reached: int
    tensors: int


@dataclass
class SanityCheck:
    """What the first batch told.

    shown: shape, least and greatest value of what players were shown. unreached: weights that no term is a function of, by network.
    bytes_needed: forecast for the run, without what a layer needs while it works. bytes_free: None where nobody can tell.
    """

    terms: list[Term] = field(default_factory=list)
    shown: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    unreached: dict[str, list[str]] = field(default_factory=dict)
    bytes_needed: int = 0
    bytes_free: int | None = None


def examine(
    system: System, samples: Any, transfer: fit_batches.Transfer, *, count: int, images: int, batch_size: int, **settings: Any
) -> SanityCheck:
    """Two steps on `count` samples, at the beginning and at the end of a training of so many images; the system stays as it was.

    settings: of Lightning's Trainer. Raises UserError for a term that is not finite, that reaches no weight of its player, or that
    leaves a gradient at another's.
    """
    before = copy.deepcopy(system.state_dict())
    look = _Look(system, images)
    with torch.random.fork_rng():
        fit_batches.fit(system, [samples, samples], look, transfer=transfer, **settings)
    system.load_state_dict(before)
    state = system.state
    state.images_seen = state.batches_seen = 0
    state.recorded, state.on_update = {}, lambda *_: None
    for network in system.networks().values():
        network.zero_grad()
    found = look.found
    found.unreached = look.unreached()
    weights = sum(_bytes(tensor) for tensor in system.state_dict().values())
    learned = sum(_bytes(weight) for network in system.networks().values() for weight in network.parameters())
    found.bytes_needed = weights + learned + look.optimisers + look.saved.peak * batch_size // count
    found.bytes_free = _free(system.device)
    return found


class _Look(Callback):
    """Watches the turns of two steps."""

    def __init__(self, system: System, images: int) -> None:
        self.system, self.moments = system, (0, images - 1)
        self.found, self.saved, self.optimisers = SanityCheck(), _Saved(system), 0

    def on_train_batch_start(self, trainer: Trainer, pl_module: System, batch: Any, batch_idx: int) -> None:  # type: ignore[override]
        pl_module.state.images_seen = self.moments[batch_idx]
        pl_module.state.on_update = self.update
        self.hooks = ExitStack()
        self.hooks.enter_context(saved_tensors_hooks(self.saved.pack, self.saved.unpack))

    def update(self, network: str, parts: Mapping[str, Tensor], evidence: LossInputs) -> None:
        known = {(term.player, term.name) for term in self.found.terms}
        updater = self.system.updaters[network]
        for name, value in parts.items():
            if (network, name) not in known:
                start = updater.objective.terms[name].start
                enters = start if start or self.system.images_seen == self.moments[0] else None
                self.found.terms.append(Term(network, name, enters, float(value.detach()), 0, len(updater.weights)))
        for name, tensor in evidence.computed():
            if isinstance(tensor, Tensor) and tensor.dim() > 1 and tensor.numel():
                least, greatest = tensor.detach().aminmax()
                self.found.shown[name] = ("x".join(map(str, tensor.shape)), float(least), float(greatest))

    def on_train_batch_end(self, trainer: Trainer, pl_module: System, *_: Any) -> None:  # type: ignore[override]
        self.hooks.close()
        reached = self.system.updaters
        self.found.terms = [replace(term, reached=len(reached[term.player].reached[term.name])) for term in self.found.terms]
        states = [value for optimiser in trainer.optimizers for held in optimiser.state.values() for value in held.values()]
        self.optimisers = sum(_bytes(value) for value in states if isinstance(value, Tensor))
        left = [weight for network in pl_module.networks().values() for weight in network.parameters() if weight.grad is not None]
        whole = pl_module.state.rule.accumulate == 1  # else gradients wait for the next batch
        require(
            not whole or not any(bool(weight.grad.any()) for weight in left if weight.grad is not None), "a loss reaches others."
        )

    def unreached(self) -> dict[str, list[str]]:
        found = {}
        for name, updater in self.system.updaters.items():
            reached = set().union(*updater.reached.values())
            learned = [(inner, weight) for inner, weight in updater.network.named_parameters() if weight.requires_grad]
            if weights := [inner for inner, weight in learned if id(weight) not in reached]:
                found[name] = weights
        return found


class _Saved:
    """Bytes that autograd holds for its way back, at their height; weights apart."""

    def __init__(self, system: System) -> None:
        self.own = {weight.untyped_storage().data_ptr() for weight in system.parameters()}
        self.holders: dict[int, int] = {}
        self.live = self.peak = 0

    def pack(self, tensor: Tensor) -> _Held:
        held, storage = _Held(tensor), tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if place not in self.own:
            self.holders[place] = self.holders.get(place, 0) + 1
            self.live += size if self.holders[place] == 1 else 0
            self.peak = max(self.peak, self.live)
            weakref.finalize(held, self._drop, place, size)
        return held

    def _drop(self, place: int, size: int) -> None:
        self.holders[place] -= 1
        self.live -= size if not self.holders[place] else 0

    @staticmethod
    def unpack(held: _Held) -> Tensor:
        return held.tensor


class _Held:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _free(device: torch.device) -> int | None:
    """Bytes that are free on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    told = Path("/proc/meminfo")
    lines = told.read_text(encoding="ascii").split("\n") if told.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
