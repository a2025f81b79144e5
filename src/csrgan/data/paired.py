"""Given pairs of degraded and sharp pictures, with the degradation of each as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray

from csrgan.data.cache_entry import CacheEntry
from csrgan.data.pair_names import at_most
from csrgan.data.pair_sizes import Size, Values, agrees, enlarged_part, fault, fitted, shown_scales, unit_values
from csrgan.data.pair_table import PairRow, faults_of, numbers
from csrgan.data.pictures import Pixels
from csrgan.data.prepared import Prepared
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.errors import raise_faults


@dataclass(frozen=True)
class Pair:
    """The files of a pair. name: in rows and panels. row: of the table that names it, if any. kernel: its blur kernel, if known."""

    name: str
    low: Path
    sharp: Path
    row: PairRow | None = None
    kernel: Float[np.ndarray, "k k"] | None = None


class LowPictures:
    """L of each pair, by index: 8-bit pixels or, from an array that csrgan degrade wrote (format=npy), values in [0,1].

    places: of each, the index in `prepared` or the array's file.
    """

    def __init__(self, prepared: Prepared, places: Sequence[int | Path], names: Sequence[str]) -> None:
        self.prepared, self.places, self.names = prepared, places, names
        self.sizes = [prepared.sizes[place] if isinstance(place, int) else array_size(place) for place in places]
        self.groups = [[index] for index in range(len(places))]

    def pixels(self, index: int) -> NDArray[np.generic]:
        place = self.places[index]
        return self.prepared.pixels(place) if isinstance(place, int) else array(place)

    def intact(self, index: int) -> bool:
        place = self.places[index]
        return not isinstance(place, int) or self.prepared.intact(place)


def array(file: Path) -> Values:
    """Return an array (3, height, width) of values as (height, width, 3)."""
    return np.load(file, allow_pickle=False).astype(np.float32).transpose(1, 2, 0)


def array_size(file: Path) -> Size:
    """Return height and width of such an array, without reading it. Raises ValueError for a file that holds none, or OSError."""
    values = np.load(file, mmap_mode="r", allow_pickle=False)
    shape = np.shape(values)
    if len(shape) != 3 or shape[0] != 3 or 0 in shape or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"it holds {values.dtype} of shape {shape}, not values of shape (3, height, width)")
    return shape[1], shape[2]


class Paired:
    """The sharp pictures of pairs (the interface of `Pictures`), each with its L and what is known of its degradation.

    H is cut to what L covers in whole pixels. share: share of the training crops that are degraded synthetically instead.
    prepared: the decoded pictures; low and sharp: where each pair's are in it, see `LowPictures`. degradation: the protocol whose
    systems take L. key: such as data.valid. Raises UserError, with a sentence for each pair, where sizes or parameters cannot be.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        prepared: Prepared,
        low: Sequence[int | Path],
        sharp: Sequence[int],
        *,
        degradation: Degradation,
        key: str,
        share: float,
        table: Path | None,
    ) -> None:
        self.pairs, self.prepared, self.key, self.share = list(pairs), prepared, key, share
        self.names, self.degradation = [pair.name for pair in pairs], degradation
        self.low, self._sharp = LowPictures(prepared, low, self.names), list(sharp)
        self.groups: list[Sequence[int]] = [[index] for index in range(len(pairs))]
        self.step = degradation.multiple
        self._full = [prepared.sizes[index] for index in sharp]
        raise_faults(at_most([*self._size_faults(), *self._theta_faults(table)]))
        self.sizes = [fitted(*sizes, self.step) if self._native else sizes[1] for sizes in self._both]
        self.thetas = [self._theta(index) for index in range(len(pairs))]

    @property
    def _native(self) -> bool:
        return self.degradation.spec.output == "native"

    @property
    def _both(self) -> list[tuple[Size, Size]]:
        """Sizes of L and H in their files."""
        return list(zip(self.low.sizes, self._full, strict=True))

    @property
    def known(self) -> list[CacheEntry]:
        """The entry of each sharp file."""
        return [self.prepared.known[index] for index in self._sharp]

    def pixels(self, index: int) -> Pixels:
        height, width = self.sizes[index]
        return self.prepared.pixels(self._sharp[index])[:height, :width]

    def intact(self, index: int) -> bool:
        return self.prepared.intact(self._sharp[index])

    def low_part(self, low: NDArray[np.generic], index: int, top: int, left: int, height: int, width: int) -> Values:
        """Return the part of L that belongs to a part of H, as a system takes it: enlarged where it takes L of H's size.

        low: L of this index. top, left, height, width: of the part, HR pixels, multiples of `step`.
        """
        if self.low.sizes[index] == self.sizes[index] or self._native:
            rows, columns = (
                slice(start // self.step, (start + length) // self.step) for start, length in ((top, height), (left, width))
            )
            return unit_values(low[rows, columns])
        return enlarged_part(low, self.sizes[index], top, left, height, width)

    @cached_property
    def _kernel_size(self) -> int | None:
        """Taps a side of the kernels that the protocol draws; None if it draws none."""
        kernel = self.degradation.prior.sample(np.random.default_rng(0)).kernel
        return None if kernel is None else kernel.shape[-1]

    def _size_faults(self) -> Iterator[str]:
        multiple = self.step if self._native else None
        faults = [fault(*sizes, multiple) for sizes in self._both]
        if len(faults) > 1 and all(faults) and not any(fault(*sizes, None) for sizes in self._both):
            yield f"{self.key}: this degradation enlarges by {multiple}, and no pair is so: in {self.pairs[0].name}, {faults[0]}"
            return
        yield from (f"{self.key}, {pair.name}: {sentence}" for pair, sentence in zip(self.pairs, faults, strict=True) if sentence)

    def _theta_faults(self, table: Path | None) -> Iterator[str]:
        names = self.degradation.prior.ranges
        yield from faults_of([pair.row for pair in self.pairs], names, table)
        for pair, sizes in zip(self.pairs, self._both, strict=True):
            text = pair.row.theta.get("scale", "") if pair.row else ""
            smaller = sizes[0] != sizes[1] and not fault(*sizes, None)
            if smaller and _positive(text) and not agrees(*sizes, float(text)):
                low, sharp = (f"{width}x{height}" for height, width in sizes)
                yield f"{table}, line {pair.row and pair.row.line}: scale={text}, and L has {low} px and H {sharp} px."
            size = pair.kernel.shape[-1] if pair.kernel is not None else None
            if size and self._kernel_size and size != self._kernel_size:
                yield f"{self.key}: kernels of {size} taps a side, and this degradation draws {self._kernel_size}: choose another."

    def _theta(self, index: int) -> Parameters:
        """Return what is known of a pair's degradation; nan for what is not."""
        pair, (low, sharp) = self.pairs[index], self._both[index]
        known = numbers(pair.row, self.degradation.prior.ranges) if pair.row else {}
        if self._native:
            known.setdefault("scale", float(self.step))
        elif low != sharp:
            known.setdefault("scale", math.sqrt(sharp[0] / low[0] * sharp[1] / low[1]))
        named = {name: torch.tensor([known.get(name, math.nan)], dtype=torch.float32) for name in self.degradation.prior.ranges}
        if pair.kernel is not None:
            named["kernel"] = torch.from_numpy(np.asarray(pair.kernel, np.float32))[None]
        elif self._kernel_size:
            named["kernel"] = torch.full((1, self._kernel_size, self._kernel_size), math.nan)
        return Parameters.of(named)

    def unknown(self, names: Iterable[str]) -> dict[str, int]:
        """Return how many pairs lack each of these parameters, for those that some lack; `kernel` is the blur's kernel."""
        counts = {name: sum(not theta.knows(name) for theta in self.thetas) for name in names}
        return {name: count for name, count in counts.items() if count}

    def description(self) -> str:
        """Return a sentence on the pairs, for the beginning of a command."""
        scales = (
            shown_scales(math.sqrt(h * w / (lh * lw)) for (lh, lw), (h, w) in self._both) if not self._native else f"{self.step}"
        )
        size = "L as large as H" if scales == "1" else f"L {scales} times smaller than H"
        lacking = self.unknown(self.degradation.prior.ranges)
        given = [name for name in self.degradation.prior.ranges if name not in lacking]
        theta = f"known: {', '.join(given)}" if given else "their degradation is not known"
        return f"{self.key}: {len(self.names)} pairs, {size}; {theta}"


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False
