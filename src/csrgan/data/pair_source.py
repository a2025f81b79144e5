"""The source of given pairs: two folders, one folder with both, a csv file, or what csrgan degrade wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from rich.console import Console

from csrgan.data import picture
from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pair_names import at_most, match, split
from csrgan.data.pair_table import PairRow, PairTable
from csrgan.data.paired import Pair, Paired, array_size
from csrgan.data.pictures import Pictures
from csrgan.data.prepared import Prepared
from csrgan.data.search import search
from csrgan.data.sources import Files, print_left_out
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import UserError, meant, raise_faults, require
from csrgan.files import table_cell
from csrgan.ranges import Share
from csrgan.run_folder import KERNELS, PARAMETERS

ARRAY = ".npy"  # csrgan degrade format=npy
LOW, SHARP = "low", "sharp"  # folders of csrgan degrade


@dataclass(frozen=True)
class _Layout:
    """Where the pictures are. low, sharp: folders; the same one if both lie in it. selects: whether the table alone says which
    pairs there are. kernels: file with the kernel of each row of the table."""

    low: Path | None = None
    sharp: Path | None = None
    table: PairTable | None = None
    selects: bool = False
    kernels: Path | None = None

    @property
    def by_table(self) -> bool:
        return self.table is not None and self.table.has_sharp


class Pairs:
    """Your own pairs of degraded and sharp pictures (L and H).

    low, sharp: a folder each; pictures belong together by their names (see `pair_names.match`). One folder for both is split by
    names. pairs: a csv file with the columns low and, unless names tell it, sharp; further columns are parameters of the
    degradation, such as blur_std (HR px), scale and noise_std (fraction of full scale). Its names are relative to the folders low
    and sharp if these are given, else to its own folder.
    folder: in place of these, one folder with both, such as csrgan degrade writes, whose parameters are read too.
    share: share of the training crops that are degraded synthetically instead; 1: all, and then only `sharp` is needed.
    """

    kept_on_resume = ("share",)

    def __init__(
        self,
        *,
        low: str | None = None,
        sharp: str | None = None,
        pairs: str | None = None,
        folder: str | None = None,
        share: Share = 0.0,
    ) -> None:
        self.low, self.sharp, self.table, self.folder = map(_path, (low, sharp, pairs, folder))
        self.share = share
        self.wants, self.refused = tuple[str, ...](), dict[str, str]()
        self.key, self.degradation = "data.valid", Degradation()

    def __bool__(self) -> bool:
        return any((self.low, self.sharp, self.table, self.folder))

    def used_as(self, key: str, degradation: Degradation) -> None:
        """Say what the pairs are for. key: data.train or data.valid. degradation: the protocol whose systems take L."""
        self.key, self.degradation = key, degradation

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        if self.share == 1 and self.sharp and not (self.low or self.table or self.folder):
            files = Files(str(self.sharp), f"{self.key}.sharp")
            result: Pictures = files.pictures(cache, archives, console)
            self.refused = files.refused
            return result
        layout, left_out = self._layout(), Counter[str]()
        pairs = _unique(self._from_table(layout) if layout.by_table else self._from_names(layout, left_out))
        paired, prepared = self._decoded(_with_kernels(pairs, layout), layout, cache, console)
        print_left_out(self.key, left_out, prepared, console)
        ignored = layout.table.ignored(self.degradation.prior.ranges) if layout.table else ""
        for line in filter(None, (ignored, paired.description() if paired.names else "")):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        return paired

    def _layout(self) -> _Layout:
        """Return where the pictures are. Raises UserError where the settings do not say it."""
        key, low, sharp, explicit = self.key, self.low, self.sharp, PairTable(self.table) if self.table else None
        if not self:
            example = f"{key}.low=FOLDER {key}.sharp=FOLDER, or {key}=FOLDER for a folder that holds both"
            raise UserError(f"{key} is empty: it takes pairs of degraded and sharp pictures, as {example}.")
        if self.folder:
            both = f"{key}.folder={self.folder} holds both halves of the pairs: leave {key}.low, sharp and pairs out."
            require(not (low or sharp or explicit), both)
            low, sharp = _halves(self.folder)
        elif explicit and not (low or sharp):
            low, sharp = (None, None) if explicit.has_sharp else _halves(explicit.file.parent)
        elif not (explicit and explicit.has_sharp):
            for name, value, kind in (("low", low, "degraded"), ("sharp", sharp, "sharp")):
                require(bool(value), f"{key}.{name} is empty: it takes the folder of the {kind} pictures.")
        for name, folder in (("low", low), ("sharp", sharp)):
            require(folder is None or folder.is_dir(), f"{key}.{name}={folder} is not a folder.{meant(folder) if folder else ''}")
        parent = low.parent if low and sharp and (low.name, sharp) == (LOW, low.parent / SHARP) else None
        own = parent / PARAMETERS if parent else None
        table = explicit or (PairTable(own) if own and own.is_file() else None)
        kernels = table.file.with_name(KERNELS) if table and table.file.name == PARAMETERS else None
        return _Layout(low, sharp, table, explicit is not None, kernels)

    def _from_table(self, layout: _Layout) -> Iterator[Pair]:
        """Yield the pairs of a table that names both halves. Raises UserError for every name that is no file."""
        assert layout.table
        pairs, faults = list[Pair](), list[str]()
        for row in layout.table.rows:
            files = [
                next((place for base in (folder, layout.table.file.parent) if base and (place := base / name).is_file()), None)
                for folder, name in ((layout.low, row.low), (layout.sharp, row.sharp))
            ]
            for kind, name, file in zip((LOW, SHARP), (row.low, row.sharp), files, strict=True):
                faults += [] if file else [f"{layout.table.file}, line {row.line}: there is no file {name} ({kind})."]
            if files[0] and files[1]:
                pairs.append(Pair(row.sharp, files[0], files[1], row))
        raise_faults(at_most(faults))
        yield from pairs

    def _from_names(self, layout: _Layout, left_out: Counter[str]) -> Iterator[Pair]:
        """Yield the pairs that names tell, with the rows of the table. Raises UserError for every name without a partner."""
        low, sharp = layout.low, layout.sharp
        assert low and sharp
        found = {folder: _found(folder, other, left_out) for folder, other in ((low, sharp), (sharp, low))}
        lows, sharps = split(found[low]) if low == sharp else (found[low], found[sharp])
        sharps = [path for path in sharps if path.suffix != ARRAY]
        rows, faults = _rows(layout, lows)
        if layout.selects:
            lows = [path for path in lows if path in rows]
        require(bool(lows), f"{self.key}: there is no degraded picture in {low}.")
        require(bool(sharps), f"{self.key}: there is no sharp picture in {sharp}.")
        matches = match(lows, sharps, self.key, spare=layout.selects)
        raise_faults(at_most([*faults, *matches.faults]))
        for mine, theirs in matches.pairs:
            yield Pair(picture.called(theirs), low / mine, sharp / theirs, rows.get(mine))

    def _decoded(self, pairs: Sequence[Pair], layout: _Layout, cache: Cache, console: Console) -> tuple[Paired, Prepared]:
        """Decode both halves, and leave out the pairs of which one cannot be used."""
        files = dict.fromkeys(path for pair in pairs for path in (pair.low, pair.sharp) if path.suffix != ARRAY)
        prepared = cache.prepare([File(path, picture.called(path)) for path in files], console)
        places: dict[Path, int | Path] = {path: index for index, path in enumerate(prepared.files)}
        reasons = {path: prepared.refused.get(picture.called(path), "") for path in files}
        for path in (pair.low for pair in pairs if pair.low.suffix == ARRAY):
            try:
                array_size(path)
                places[path] = path
            except (OSError, ValueError) as reason:
                reasons[path] = f"cannot be read: {reason}"
        usable = [pair for pair in pairs if pair.low in places and pair.sharp in places]
        self.refused = {picture.called(path): reason for path, reason in reasons.items() if reason}
        low, sharp = [places[pair.low] for pair in usable], [places[pair.sharp] for pair in usable]
        paired = Paired(
            usable,
            prepared,
            low,
            [index for index in sharp if isinstance(index, int)],
            degradation=self.degradation,
            key=self.key,
            share=self.share,
            table=layout.table.file if layout.table else None,
        )
        return paired, prepared


def _path(value: str | float | None) -> Path | None:
    """Return a path; a folder may be called 2024, which a configuration reads as a number."""
    return None if value in (None, "") else Path(str(value))


def _halves(folder: Path) -> tuple[Path, Path]:
    """Return the folders of the degraded and of the sharp pictures: those that csrgan degrade writes, or this one for both."""
    halves = folder / LOW, folder / SHARP
    return halves if all(half.is_dir() for half in halves) else (folder, folder)


def _found(folder: Path, other: Path, left_out: Counter[str]) -> list[PurePath]:
    """Return the names of the pictures and arrays below a folder, without those below the other one where it lies in it."""
    result = search(folder, other if other != folder else None)
    left_out.update(result.left_out)
    arrays = [file for each in result.folders for file in each.glob(f"*{ARRAY}")]
    return sorted(file.relative_to(folder) for file in (*result.files, *arrays))


def _rows(layout: _Layout, lows: Sequence[PurePath]) -> tuple[Mapping[PurePath, PairRow], list[str]]:
    """Return the rows of the table by the degraded picture, and a sentence for each row that names none."""
    if layout.table is None:
        return {}, []
    by_cell = {table_cell(picture.called(path)): path for path in lows} | {picture.called(path): path for path in lows}
    rows, faults = dict[PurePath, PairRow](), list[str]()
    for row in layout.table.rows:
        name = by_cell.get(row.low)
        if name is None:
            faults.append(f"{layout.table.file}, line {row.line}: there is no picture {row.low} in {layout.low}.")
        else:
            rows[name] = row
    return rows, faults


def _unique(pairs: Iterator[Pair]) -> list[Pair]:
    """Return each pair once, under a name of its own: that of H or, where H has several L, that of L."""
    once = list({(pair.low, pair.sharp): pair for pair in pairs}.values())
    counts = Counter(pair.name for pair in once)
    named = [replace(pair, name=pair.name if counts[pair.name] == 1 else _name_of_low(pair)) for pair in once]
    repeated = Counter(pair.name for pair in named)
    return [pair if repeated[pair.name] == 1 else replace(pair, name=picture.called(pair.low)) for pair in named]


def _name_of_low(pair: Pair) -> str:
    return pair.row.low if pair.row else picture.called(PurePath(pair.low.name))


def _with_kernels(pairs: Sequence[Pair], layout: _Layout) -> list[Pair]:
    """Add the kernels that csrgan degrade wrote beside its table."""
    if layout.kernels is None or not layout.kernels.is_file():
        return list(pairs)
    assert layout.table
    try:
        kernels = np.load(layout.kernels, allow_pickle=False)
        require(kernels.ndim == 3 and len(kernels) == len(layout.table.rows), f"holds {len(kernels)} kernels")
    except (OSError, ValueError, TypeError) as reason:
        raise UserError(f"{layout.kernels} does not hold a kernel for each row of {PARAMETERS}: {reason}.") from None
    lines = {row.line: kernel for row, kernel in zip(layout.table.rows, kernels, strict=True)}
    return [replace(pair, kernel=lines[pair.row.line]) if pair.row else pair for pair in pairs]
